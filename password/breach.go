package password

import (
	"cmp"
	"context"
	"crypto/sha1"
	"errors"
	"fmt"
	"time"
)

// ErrBreachCheck says that [Policy.Breached] failed, so that nobody knows.
var ErrBreachCheck = errors.New("password: breached passwords cannot be looked up")

const breachedTimeout = 5 * time.Second

// CheckBreached asks p.Breached, if there is one, about a password that came
// out of [Prepare]. It returns an [*Error] with [ReasonBreached]; the error of
// ctx if that has ended; or, unless p.BreachedOptional, an error that wraps
// [ErrBreachCheck] and what Breached returned.
//
// It returns when the time is up, also if Breached does not: that is left to
// itself then. A panic of Breached is one of CheckBreached.
func (p Policy) CheckBreached(ctx context.Context, prepared string) error {
	if p.Breached == nil {
		return nil
	}
	known, err := p.ask(ctx, sha1.Sum([]byte(prepared)))
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case err == nil && known:
		return &Error{ReasonBreached}
	case err != nil && !p.BreachedOptional:
		return fmt.Errorf("%w: %w", ErrBreachCheck, err)
	}
	return nil
}

func (p Policy) ask(ctx context.Context, sum [sha1.Size]byte) (bool, error) {
	ctx, cancel := context.WithTimeout(ctx, cmp.Or(p.BreachedTimeout, breachedTimeout))
	defer cancel()
	type answer struct {
		known bool
		err   error
		panic any
	}
	answers := make(chan answer, 1)
	go func() {
		a := answer{err: errors.New("no answer")} // of a Breached that ends the goroutine
		defer func() {
			a.panic = recover()
			answers <- a
		}()
		a.known, a.err = p.Breached(ctx, sum)
	}()
	select {
	case a := <-answers:
		if a.panic != nil {
			panic(a.panic)
		}
		return a.known, a.err
	case <-ctx.Done():
		return false, ctx.Err()
	}
}
