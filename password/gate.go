package password

import (
	"container/list"
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"
)

// ErrFull says that too many wait at a [Gate] already. Nothing was done.
var ErrFull = errors.New("password: too many are waiting")

// Gate bounds how much is hashed at once: 256 people who sign in at the same
// moment would otherwise take 5 GiB, and each would wait longer than in a queue.
//
// It lets in as many as the memory allows, and never more than there are
// processors (GOMAXPROCS at the time of [NewGate]). Who is not let in waits. Each
// source has a line of its own, first come, first served, and the lines take
// turns, so that one source with a thousand guesses delays another one by one
// hash. Nobody overtakes: a hash that needs much memory holds up what stands
// behind it until it fits. One that needs more than there is runs alone.
//
// Make one with NewGate, and let everything that hashes in the program share
// it. It is safe for concurrent use, starts no goroutine and has nothing to
// close.
type Gate struct {
	memory int64 // bytes
	slots  int
	places int

	mu      sync.Mutex
	used    int64
	running int
	waiting int
	lines   map[string]*line
	turns   list.List // of the *line that somebody stands in; the front is next
}

// line is where one source waits.
type line struct {
	source  string
	waiters list.List // of *waiter; never empty
	turn    *list.Element
}

type waiter struct {
	need  int64
	line  *line
	place *list.Element
	done  chan struct{} // closed once it is let in or sent away
	away  bool
}

// NewGate returns a gate for so many bytes of memory at once, at which so many
// may wait. It returns an error that names what is not positive (memory) or
// negative (places).
func NewGate(memory int64, places int) (*Gate, error) {
	var errs []error
	if memory <= 0 {
		errs = append(errs, fmt.Errorf("password: a Gate of %d bytes", memory))
	}
	if places < 0 {
		errs = append(errs, fmt.Errorf("password: a Gate with %d places to wait", places))
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	return &Gate{memory: memory, slots: runtime.GOMAXPROCS(0), places: places, lines: make(map[string]*line)}, nil
}

// Do runs work, which needs so many bytes, when its turn has come. Work that
// needs none runs at once. The source is who asks: an address, say. All that
// have none share the empty one.
//
// It returns the error of ctx if that ends before the turn has come, and
// [ErrFull] at once if all places are taken. A source that takes more places
// than another, though, gives up its last one to it: then it is the one that
// stood there who gets ErrFull. In either case work was not run. A panic of work
// goes on, and frees what it held.
func (g *Gate) Do(ctx context.Context, source string, bytes int64, work func()) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if bytes > 0 {
		if err := g.enter(ctx, source, bytes); err != nil {
			return err
		}
		defer g.leave(bytes)
	}
	work()
	return nil
}

func (g *Gate) enter(ctx context.Context, source string, need int64) error {
	g.mu.Lock()
	if g.waiting == 0 && g.fits(need) {
		g.admit(need)
		g.mu.Unlock()
		return nil
	}
	if g.waiting >= g.places && !g.makeRoom(source) {
		g.mu.Unlock()
		return ErrFull
	}
	w := g.queue(source, need)
	g.mu.Unlock()

	select {
	case <-w.done:
	case <-ctx.Done():
		g.mu.Lock()
		select {
		case <-w.done: // at the same moment
			if !w.away {
				g.release(need)
			}
		default:
			g.remove(w)
			g.next() // w may have held up smaller ones
		}
		g.mu.Unlock()
		return ctx.Err()
	}
	if w.away {
		return ErrFull
	}
	return nil
}

func (g *Gate) leave(need int64) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.release(need)
}

// What follows is called with mu held.

func (g *Gate) fits(need int64) bool {
	return g.running == 0 || g.running < g.slots && need <= g.memory-g.used
}

func (g *Gate) admit(need int64) {
	g.running++
	g.used += need
}

func (g *Gate) release(need int64) {
	g.running--
	g.used -= need
	g.next()
}

// next lets in whose turn it is, as long as they fit.
func (g *Gate) next() {
	for g.waiting > 0 {
		l := g.turns.Front().Value.(*line)
		w := l.waiters.Front().Value.(*waiter)
		if !g.fits(w.need) {
			return
		}
		g.admit(w.need)
		g.turns.MoveToBack(l.turn)
		g.remove(w)
		close(w.done)
	}
}

// queue puts a new waiter at the end of the line of its source.
func (g *Gate) queue(source string, need int64) *waiter {
	l := g.lines[source]
	if l == nil {
		l = &line{source: source}
		l.turn = g.turns.PushBack(l)
		g.lines[source] = l
	}
	w := &waiter{need: need, line: l, done: make(chan struct{})}
	w.place = l.waiters.PushBack(w)
	g.waiting++
	return w
}

func (g *Gate) remove(w *waiter) {
	w.line.waiters.Remove(w.place)
	g.waiting--
	if w.line.waiters.Len() == 0 {
		g.turns.Remove(w.line.turn)
		delete(g.lines, w.line.source)
	}
}

// makeRoom sends away the last of the longest line, if that stays no shorter
// than the line of source becomes.
func (g *Gate) makeRoom(source string) bool {
	var longest *line
	for e := g.turns.Front(); e != nil; e = e.Next() {
		if l := e.Value.(*line); longest == nil || l.waiters.Len() > longest.waiters.Len() {
			longest = l
		}
	}
	mine := 0
	if l := g.lines[source]; l != nil {
		mine = l.waiters.Len()
	}
	if longest == nil || longest.waiters.Len()-1 < mine+1 {
		return false
	}
	w := longest.waiters.Back().Value.(*waiter)
	w.away = true
	g.remove(w)
	close(w.done)
	return true
}
