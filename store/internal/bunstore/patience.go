package bunstore

import (
	"context"
	"time"

	"github.com/go-roster/roster"
	"github.com/go-roster/roster/store/internal/txn"
)

// patience is how long one call waits for others. It starts when there is
// something to wait for.
type patience struct {
	store *Store
	timer *time.Timer
	over  <-chan time.Time
}

func (s *Store) patience() *patience { return &patience{store: s} }

func (p *patience) start() {
	if p.timer == nil && p.store.busy > 0 {
		p.timer = time.NewTimer(p.store.busy)
		p.over = p.timer.C
	}
}

func (p *patience) stop() {
	if p.timer != nil {
		p.timer.Stop()
	}
}

// enter waits for a place where there is one at a time: for who writes, or works
// in a transaction of the host. Those who wait are served in order. Where place
// is nil there is room for all.
func (p *patience) enter(ctx context.Context, place chan struct{}) (leave func(), err error) {
	if place == nil {
		return func() {}, nil
	}
	leave = func() { <-place }
	select {
	case place <- struct{}{}:
		return leave, nil
	default:
	}
	p.start()
	select {
	case place <- struct{}{}:
		return leave, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-p.over:
		if place == p.store.writer {
			return nil, p.store.holder.Busy(ctx)
		}
		return nil, &txn.MisusedError{
			Reason: "an Atomic has the joined transaction to itself: inside it use the context of its function, and not the joined one",
			Busy:   &roster.UnavailableError{What: roster.UnavailableBusy},
		}
	}
}

// The bounds of try.
const (
	maxPause = 20 * time.Millisecond
	maxLost  = 32 // connections that turn out to be dead, one after the other
)

// try calls fn until it does not fail for the sake of others. It gets another
// connection for one that was broken before and, if fn may be repeated, for one
// that broke. Without patience it calls fn once.
func (p *patience) try(ctx context.Context, repeatable bool, fn func() error) error {
	if p == nil {
		return fn()
	}
	lost, stale := 0, false
	for pause := time.Millisecond; ; pause = min(2*pause, maxPause) {
		err := fn()
		if err == nil || ctx.Err() != nil {
			return err
		}
		f := p.store.fault(err)
		switch {
		case f.Kind == Again:
			p.start()
			wait := time.NewTimer(pause)
			select {
			case <-wait.C:
				continue
			case <-ctx.Done():
			case <-p.over:
			}
			wait.Stop()
			return err
		case f.Kind == Stale && !stale:
			stale = true
		case (f.Lost && repeatable || f.Unsent) && lost < maxLost:
			lost++
		default:
			return err
		}
	}
}
