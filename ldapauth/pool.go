package ldapauth

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"
)

// How long a connection is used: servers and firewalls forget those that are idle, and
// one that went to the second server should go back to the first some day.
const (
	maxIdle = time.Minute
	maxAge  = 15 * time.Minute
)

// pool keeps connections of one kind: either those on which the service account is
// bound, or those on which people are. A connection never goes from one to the other. It is
// safe for concurrent use, and runs nothing of its own: what is idle stays so until
// somebody comes, or Close.
type pool struct {
	open  func(context.Context) (*conn, error)
	slots chan struct{}

	mu     sync.Mutex
	idle   []*conn // the one that was used last is the last
	closed bool
}

func newPool(size int, open func(context.Context) (*conn, error)) *pool {
	return &pool{open: open, slots: make(chan struct{}, size)}
}

// take returns a connection, which goes back by give. With fresh it is a new one.
func (p *pool) take(ctx context.Context, fresh bool) (*conn, *Error, error) {
	select {
	case p.slots <- struct{}{}:
	case <-ctx.Done():
		return nil, &Error{Stage: StageDial, Reason: ReasonPool, Cause: ctx.Err()}, nil
	}
	c, old, closed := p.find(fresh)
	for _, c := range old {
		c.hangUp()
	}
	if closed {
		<-p.slots
		return nil, &Error{Stage: StageDial, Reason: ReasonClosed}, nil
	}
	if c != nil {
		return c, nil, nil
	}
	c, err := p.open(ctx)
	if err != nil {
		<-p.slots
	}
	return c, nil, err
}

// find takes the newest idle connection that is still good, and those that are not.
func (p *pool) find(fresh bool) (c *conn, old []*conn, closed bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now()
	p.idle = slices.DeleteFunc(p.idle, func(c *conn) bool {
		if c.ldap.IsClosing() || c.server.isDown() || now.Sub(c.given) > maxIdle || now.Sub(c.opened) > maxAge {
			old = append(old, c)
			return true
		}
		return false
	})
	if last := len(p.idle) - 1; last >= 0 && !fresh && !p.closed {
		c = p.idle[last]
		c.reused = true
		p.idle = p.idle[:last]
	}
	return c, old, p.closed
}

// give takes a connection back.
func (p *pool) give(c *conn) {
	p.mu.Lock()
	keep := !c.dead && !c.ldap.IsClosing() && !p.closed
	if keep {
		c.given = time.Now()
		p.idle = append(p.idle, c)
	}
	p.mu.Unlock()
	if !keep {
		c.hangUp()
	}
	<-p.slots
}

// close ends what is idle, and from now on what comes back.
func (p *pool) close() {
	p.mu.Lock()
	idle := p.idle
	p.idle, p.closed = nil, true
	p.mu.Unlock()
	for _, c := range idle {
		c.hangUp()
	}
}

// with runs fn with a connection of the pool. If it was an old one that
// turned out to have ended, or the server sends people away and there is another, fn runs
// once more, on a new one. What fn returns is what the request has come to; the
// error is what that means for the caller who cannot tell more of it.
func (d *Directory) with(ctx context.Context, p *pool, fn func(*conn) *Error) (*Error, error) {
	waiting, cancel := context.WithTimeout(ctx, d.opts.Timeout+time.Duration(len(d.opts.servers))*d.opts.DialTimeout)
	defer cancel()
	for fresh := false; ; fresh = true {
		c, e, err := p.take(waiting, fresh)
		if e != nil {
			return e, unavailable(ctx, e)
		}
		if err != nil {
			var cause *Error
			_ = errors.As(err, &cause)
			return cause, err
		}
		e = fn(c)
		again := c.lost(e) && e.Stage != StagePassword // which may have been done
		if e != nil && (busy(e.Code) || e.Reason == ReasonTimeout && ctx.Err() == nil) {
			c.server.failed()
			again = busy(e.Code) && len(d.opts.servers) > 1
			c.dead = true
		}
		p.give(c)
		if e == nil {
			return nil, nil
		}
		if !again || fresh || ctx.Err() != nil {
			return e, unavailable(ctx, e)
		}
	}
}
