package roster

import (
	"context"
	"errors"
	"log/slog"
	"runtime/debug"
	"time"
)

// hookTimeout is how long a verb waits for Options.OnEvent or AfterEvent.
const hookTimeout = 10 * time.Second

// vetoError is the error of an Options.OnEvent.
type vetoError struct {
	kind EventKind
	err  error
}

func (e *vetoError) Error() string { return "event " + string(e.kind) + " was refused" }
func (e *vetoError) Unwrap() error { return e.err }

// isVeto reports whether an error is one of an Options.OnEvent, whatever it wraps.
func isVeto(err error) bool {
	var veto *vetoError
	return errors.As(err, &veto)
}

// onEvent asks the host whether an event may happen.
func (us *Users) onEvent(ctx context.Context, e Event) error {
	if us.opts.OnEvent == nil {
		return nil
	}
	if err := us.callHook(ctx, "OnEvent", e, us.opts.OnEvent); err != nil {
		return &vetoError{e.Kind, err}
	}
	return nil
}

// afterEvent tells the host what has happened. It is told also if the caller has
// gone meanwhile.
func (us *Users) afterEvent(ctx context.Context, e Event) {
	hook := us.opts.AfterEvent
	if hook == nil {
		return
	}
	// What goes wrong is in the log.
	_ = us.callHook(context.WithoutCancel(ctx), "AfterEvent", e, func(ctx context.Context, e Event) error {
		hook(ctx, e)
		return nil
	})
}

var errHook = errors.New("a hook did not return")

// callHook calls a function of the host on a goroutine of its own, so that
// neither its panic nor its hanging is the caller's. Both are an
// [UnavailableError] of [UnavailableHook], or the error of ctx.
func (us *Users) callHook(ctx context.Context, name string, e Event, hook func(context.Context, Event) error) error {
	e.Details = e.Details.clone()
	ctx, cancel := context.WithTimeout(ctx, hookTimeout)
	defer cancel()
	log := us.opts.Logger.With(slog.String("hook", name), slog.String("kind", string(e.Kind)))
	done := make(chan error, 1)
	go func() {
		err := error(&UnavailableError{UnavailableHook, errHook}) // of a panic, and of runtime.Goexit
		defer func() {
			if recover() != nil {
				log.ErrorContext(ctx, "hook panicked", slog.String("stack", string(debug.Stack())))
			}
			done <- err
		}()
		err = hook(ctx, e)
	}()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
	}
	select {
	case err := <-done: // it has heeded ctx
		return err
	default:
	}
	log.ErrorContext(ctx, "hook hangs")
	if err := context.Cause(ctx); !errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	return &UnavailableError{UnavailableHook, context.DeadlineExceeded}
}
