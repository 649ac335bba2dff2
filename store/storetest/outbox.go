package storetest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/go-roster/roster"
)

var outboxCases = []testCase{
	{name: "Outbox/RoundTrip", rule: "A mail comes out as it went in, field by field, whatever state it is in.", run: outboxRoundTrip},
	{name: "Outbox/User", rule: "A mail may concern nobody, but nobody who is not there; it goes with its user.", run: outboxUser},
	{name: "Outbox/Claim", rule: "ClaimMails takes what is pending and due, the earliest first, limit at most; it counts an attempt and returns them by ID.", run: outboxClaim},
	{name: "Outbox/Lease", rule: "A mail that is claimed is nobody else's until its lease ends, then anybody's.", run: outboxLease},
	{name: "Outbox/Settle", rule: "SettleMail writes what became of a try, and nothing else, if the claim still holds.", run: outboxSettle},
	{name: "Outbox/List", rule: "MailsAfter returns exactly the mails in the state, by ID; CountMails counts the pending ones up to limit.", run: outboxList},
	{name: "Outbox/Requeue", rule: "RequeueMails makes dead letters pending, but none that is wiped or expired, and no other mail.", run: outboxRequeue},
	{name: "Outbox/Wipe", rule: "WipeMails empties the payload of dead letters that expired at or before now, and of no others.", run: outboxWipe},
	{name: "Outbox/Prune", rule: "PruneMails deletes what was sent or given up before, limit at most, and never a pending mail.", run: outboxPrune},
	{name: "Race/Outbox", rule: "Of many that claim at once none gets what another gets, and together they get everything.", run: raceOutbox},
}

// letter is a pending one, due at the time that most tests begin.
func letter(u *roster.User, to string) *roster.QueuedMail {
	m := &roster.QueuedMail{
		MessageID: "id of " + to, Kind: roster.MailResetPassword, To: to, Locale: "pt-BR",
		Payload: roster.NewSecret("payload of " + to), QueuedAt: at(0), ExpiresAt: at(10 * time.Hour), DueAt: at(0),
	}
	if u != nil {
		m.UserID = u.ID
	}
	return m
}

func insertMail(t testing.TB, s roster.Store, m *roster.QueuedMail) *roster.QueuedMail {
	t.Helper()
	ok(t, s.InsertMail(t.Context(), m))
	return m
}

// mailsOf returns all mails there are, in whatever state.
func mailsOf(ctx context.Context, t testing.TB, s roster.Store) []*roster.QueuedMail {
	t.Helper()
	var all []*roster.QueuedMail
	for _, state := range []roster.OutboxState{roster.OutboxPending, roster.OutboxSent, roster.OutboxFailed} {
		all = append(all, got(s.MailsAfter(ctx, state, 0, 1000))(t)...)
	}
	slices.SortFunc(all, func(a, b *roster.QueuedMail) int { return int(a.ID - b.ID) })
	return all
}

func recipients(mails []*roster.QueuedMail) []string {
	var to []string
	for _, m := range mails {
		to = append(to, m.To)
	}
	return to
}

func outboxRoundTrip(t *testing.T, s roster.Store) {
	ctx := t.Context()
	ann := insert(t, s, user("ann"))
	full := letter(ann, "full")
	full.Claim, full.Attempts, full.LastError = "claim", 3, "error"
	full.DueAt, full.FailedAt = at(time.Minute), at(2*time.Minute)
	insertMail(t, s, full)
	filled(t, full, "SentAt")
	sent := letter(ann, "sent")
	sent.SentAt = at(3 * time.Minute)
	insertMail(t, s, sent)
	bare := insertMail(t, s, &roster.QueuedMail{})
	want := []*roster.QueuedMail{full, sent, bare}
	same(t, "the mails", mailsOf(ctx, t, s), want)
	if full.ID == 0 || sent.ID <= full.ID || bare.ID <= sent.ID {
		t.Errorf("the IDs are %d, %d and %d", full.ID, sent.ID, bare.ID)
	}
	zone := time.FixedZone("somewhere", 9*3600)
	for i, text := range nasty {
		m := letter(ann, text)
		m.MessageID, m.Kind, m.Locale, m.Payload = text, roster.MailKind(text), text, roster.NewSecret(text)
		m.Claim, m.LastError, m.DueAt = text, text, at(time.Duration(i)*time.Microsecond).In(zone)
		want = append(want, insertMail(t, s, m))
	}
	same(t, "the mails", mailsOf(ctx, t, s), want)
}

func outboxUser(t *testing.T, s roster.Store) {
	ctx := t.Context()
	ann, ben := insert(t, s, user("ann")), insert(t, s, user("ben"))
	ghost := &roster.User{ID: ben.ID + 1000}
	conflicts(t, "a mail for nobody", s.InsertMail(ctx, letter(ghost, "ghost")), roster.FieldUser)
	nobody := insertMail(t, s, letter(nil, "nobody"))
	insertMail(t, s, letter(ann, "ann"))
	gone := letter(ann, "ann, sent")
	gone.SentAt = at(0)
	insertMail(t, s, gone)
	bens := insertMail(t, s, letter(ben, "ben"))
	ok(t, s.PurgeUser(ctx, ann.ID))
	same(t, "the mails", mailsOf(ctx, t, s), []*roster.QueuedMail{nobody, bens})
}

func outboxClaim(t *testing.T, s roster.Store) {
	ctx := t.Context()
	ann := insert(t, s, user("ann"))
	due := func(name string, d time.Duration) *roster.QueuedMail {
		m := letter(ann, name)
		m.DueAt = at(d)
		return m
	}
	third, first, late, second := due("third", 0), due("first", -2*time.Hour), due("late", time.Microsecond), due("second", -time.Hour)
	sent, failed := due("sent", -3*time.Hour), due("failed", -3*time.Hour)
	sent.SentAt, failed.FailedAt = at(0), at(0)
	fourth := due("fourth", 0)
	for _, m := range []*roster.QueuedMail{third, first, late, second, sent, failed, fourth} {
		insertMail(t, s, m)
	}
	before := mailsOf(ctx, t, s)
	for _, limit := range []int{0, -1} {
		same(t, "nothing", got(s.ClaimMails(ctx, "a", at(time.Hour), at(2*time.Hour), limit))(t), []*roster.QueuedMail{})
	}
	same(t, "before anything is due", got(s.ClaimMails(ctx, "a", at(-2*time.Hour-time.Microsecond), at(time.Hour), 10))(t), []*roster.QueuedMail{})
	same(t, "the mails", mailsOf(ctx, t, s), before)

	claimed := func(m *roster.QueuedMail, claim string, until time.Time) *roster.QueuedMail {
		c := *m
		c.Claim, c.DueAt, c.Attempts = claim, until, m.Attempts+1
		return &c
	}
	zone := time.FixedZone("ahead", 14*3600)
	until := at(5 * time.Hour)
	same(t, "two", got(s.ClaimMails(ctx, "a", at(0).In(zone), until.In(zone), 2))(t),
		[]*roster.QueuedMail{claimed(first, "a", until), claimed(second, "a", until)})
	same(t, "the next", got(s.ClaimMails(ctx, "b", at(0), until, 1))(t), []*roster.QueuedMail{claimed(third, "b", until)})
	same(t, "the last that is due", got(s.ClaimMails(ctx, "b", at(0), until, 10))(t), []*roster.QueuedMail{claimed(fourth, "b", until)})
	same(t, "no more", got(s.ClaimMails(ctx, "c", at(0), until, 10))(t), []*roster.QueuedMail{})
	same(t, "later", got(s.ClaimMails(ctx, "c", at(time.Microsecond), until, 10))(t), []*roster.QueuedMail{claimed(late, "c", until)})
	same(t, "the mails", mailsOf(ctx, t, s), []*roster.QueuedMail{
		claimed(third, "b", until), claimed(first, "a", until), claimed(late, "c", until), claimed(second, "a", until), sent, failed, claimed(fourth, "b", until),
	})
}

func outboxLease(t *testing.T, s roster.Store) {
	ctx := t.Context()
	insertMail(t, s, letter(nil, "one"))
	end := at(time.Hour)
	mine := got(s.ClaimMails(ctx, "mine", at(0), end, 10))(t)[0]
	same(t, "a moment too early", got(s.ClaimMails(ctx, "theirs", end.Add(-time.Microsecond), at(9*time.Hour), 10))(t), []*roster.QueuedMail{})
	theirs := got(s.ClaimMails(ctx, "theirs", end, at(2*time.Hour), 10))(t)
	if len(theirs) != 1 || theirs[0].Attempts != 2 {
		t.Fatalf("after the lease: %v", theirs)
	}
	mine.SentAt = at(0)
	fails(t, "SettleMail of who was too slow", s.SettleMail(ctx, mine), roster.ErrNotFound)
	same(t, "the mail", mailsOf(ctx, t, s), theirs)
	theirs[0].SentAt = at(time.Hour)
	ok(t, s.SettleMail(ctx, theirs[0]))
	fails(t, "SettleMail twice", s.SettleMail(ctx, theirs[0]), roster.ErrNotFound)
	same(t, "what is sent", got(s.ClaimMails(ctx, "x", at(99*time.Hour), at(100*time.Hour), 10))(t), []*roster.QueuedMail{})
}

func outboxSettle(t *testing.T, s roster.Store) {
	ctx := t.Context()
	ann := insert(t, s, user("ann"))
	insertMail(t, s, letter(ann, "one"))
	other := insertMail(t, s, letter(ann, "other"))
	m := got(s.ClaimMails(ctx, "claim", at(0), at(time.Hour), 1))(t)[0]
	for what, wrong := range map[string]roster.QueuedMail{
		"another claim":  {ID: m.ID, Claim: "Claim"},
		"no claim":       {ID: m.ID},
		"no claim there": {ID: other.ID},
		"no such mail":   {ID: other.ID + 1000, Claim: "claim"},
		"another's mail": {ID: other.ID, Claim: "claim"},
	} {
		fails(t, what, s.SettleMail(ctx, &wrong), roster.ErrNotFound)
	}
	same(t, "the mails", mailsOf(ctx, t, s), []*roster.QueuedMail{m, other})

	again := *m
	again.Payload, again.DueAt, again.Attempts, again.LastError = roster.NewSecret("new"), at(2*time.Hour), 7, "try later"
	again.FailedAt = at(3 * time.Hour)
	given := again
	given.MessageID, given.Kind, given.UserID, given.To, given.Locale = "x", "x", 0, "x", "x"
	given.QueuedAt, given.ExpiresAt = time.Time{}, time.Time{}
	ok(t, s.SettleMail(ctx, &given))
	if given.Claim != "claim" {
		t.Error("SettleMail has changed its argument")
	}
	again.Claim = ""
	same(t, "the mails", mailsOf(ctx, t, s), []*roster.QueuedMail{&again, other})

	m = got(s.ClaimMails(ctx, "next", at(0), at(time.Hour), 1))(t)[0]
	m.Payload, m.SentAt = roster.Secret{}, at(4*time.Hour)
	ok(t, s.SettleMail(ctx, m))
	m.Claim = ""
	same(t, "the mails", mailsOf(ctx, t, s), []*roster.QueuedMail{&again, m})
}

func outboxList(t *testing.T, s roster.Store) {
	ctx := t.Context()
	byState := map[roster.OutboxState][]string{}
	for i := range 9 {
		state := roster.OutboxState(i % 3)
		m := letter(nil, strconv.Itoa(i))
		m.DueAt = at(-time.Duration(i) * time.Hour)
		switch state {
		case roster.OutboxSent:
			m.SentAt = at(0)
		case roster.OutboxFailed:
			m.FailedAt = at(0)
		}
		insertMail(t, s, m)
		byState[state] = append(byState[state], m.To)
	}
	for state, want := range byState {
		same(t, "all", recipients(got(s.MailsAfter(ctx, state, 0, 100))(t)), want)
		first := got(s.MailsAfter(ctx, state, 0, 2))(t)
		same(t, "a page", recipients(first), want[:2])
		same(t, "the next", recipients(got(s.MailsAfter(ctx, state, first[1].ID, 2))(t)), want[2:])
		same(t, "no page", got(s.MailsAfter(ctx, state, 0, 0))(t), []*roster.QueuedMail{})
	}
	same(t, "no such state", got(s.MailsAfter(ctx, 7, 0, 100))(t), []*roster.QueuedMail{})
	for limit, want := range map[int]int{-1: 0, 0: 0, 1: 1, 2: 2, 3: 3, 4: 3, 1000: 3} {
		same(t, fmt.Sprint("CountMails up to ", limit), got(s.CountMails(ctx, limit))(t), want)
	}
}

// deadLetters are mails that were given up, and one of each other state.
func deadLetters(t *testing.T, s roster.Store) map[string]*roster.QueuedMail {
	t.Helper()
	all := map[string]*roster.QueuedMail{}
	for _, name := range []string{"a", "never", "late", "wiped", "sent", "pending"} {
		m := letter(nil, name)
		m.FailedAt, m.Attempts, m.LastError = at(time.Hour), 5, "refused"
		switch name {
		case "never":
			m.ExpiresAt = time.Time{}
		case "late":
			m.ExpiresAt = at(10*time.Hour + time.Microsecond)
		case "wiped":
			m.Payload = roster.Secret{}
		case "sent":
			m.FailedAt, m.SentAt = time.Time{}, at(time.Hour)
		case "pending":
			m.FailedAt = time.Time{}
		}
		all[name] = insertMail(t, s, m)
	}
	return all
}

func outboxRequeue(t *testing.T, s roster.Store) {
	ctx := t.Context()
	all := deadLetters(t, s)
	var ids []roster.MailID
	for _, m := range all {
		ids = append(ids, m.ID)
	}
	same(t, "none", got(s.RequeueMails(ctx, at(0)))(t), 0)
	same(t, "one that is not there", got(s.RequeueMails(ctx, at(0), all["pending"].ID+1000))(t), 0)
	due := at(10 * time.Hour)
	same(t, "when most are expired", got(s.RequeueMails(ctx, due, append(ids, ids...)...))(t), 2)
	for _, name := range []string{"never", "late"} {
		m := all[name]
		m.FailedAt, m.DueAt, m.Attempts, m.LastError = time.Time{}, due, 0, ""
	}
	want := []*roster.QueuedMail{all["a"], all["never"], all["late"], all["wiped"], all["sent"], all["pending"]}
	same(t, "the mails", mailsOf(ctx, t, s), want)
	same(t, "again", got(s.RequeueMails(ctx, due, ids...))(t), 0)
	same(t, "in time", got(s.RequeueMails(ctx, due.Add(-time.Microsecond), all["a"].ID))(t), 1)
	same(t, "what is due", len(got(s.ClaimMails(ctx, "x", due, at(99*time.Hour), 10))(t)), 4)
}

func outboxWipe(t *testing.T, s roster.Store) {
	ctx := t.Context()
	all := deadLetters(t, s)
	second := letter(nil, "second")
	second.FailedAt = at(0)
	insertMail(t, s, second)
	same(t, "too early", got(s.WipeMails(ctx, at(10*time.Hour-time.Microsecond), 10))(t), 0)
	same(t, "none", got(s.WipeMails(ctx, at(10*time.Hour), 0))(t), 0)
	same(t, "one", got(s.WipeMails(ctx, at(10*time.Hour), 1))(t), 1)
	all["a"].Payload = roster.Secret{}
	want := []*roster.QueuedMail{all["a"], all["never"], all["late"], all["wiped"], all["sent"], all["pending"], second}
	same(t, "the mails", mailsOf(ctx, t, s), want)
	same(t, "the rest", got(s.WipeMails(ctx, at(10*time.Hour), 10))(t), 1)
	second.Payload = roster.Secret{}
	same(t, "again", got(s.WipeMails(ctx, at(10*time.Hour), 10))(t), 0)
	same(t, "the mails", mailsOf(ctx, t, s), want)
}

func outboxPrune(t *testing.T, s roster.Store) {
	ctx := t.Context()
	var all []*roster.QueuedMail
	for i := range 8 {
		m := letter(nil, strconv.Itoa(i))
		m.QueuedAt, m.DueAt = at(-100*time.Hour), at(-100*time.Hour)
		switch i % 4 {
		case 0:
			m.SentAt = at(0)
		case 1:
			m.FailedAt = at(0)
		case 2:
			m.SentAt = at(time.Microsecond)
		}
		all = append(all, insertMail(t, s, m))
	}
	same(t, "at that time", got(s.PruneMails(ctx, at(0), 10))(t), 0)
	same(t, "none", got(s.PruneMails(ctx, at(time.Hour), 0))(t), 0)
	same(t, "three", got(s.PruneMails(ctx, at(time.Microsecond), 3))(t), 3)
	same(t, "the mails", mailsOf(ctx, t, s), []*roster.QueuedMail{all[2], all[3], all[5], all[6], all[7]})
	same(t, "the rest", got(s.PruneMails(ctx, at(1000*time.Hour), 10))(t), 3)
	same(t, "the mails", mailsOf(ctx, t, s), []*roster.QueuedMail{all[3], all[7]})
}

func raceOutbox(t *testing.T, s roster.Store) {
	n := rounds(60, 3000)
	ctx := bounded(t, n)
	ok(t, s.Atomic(ctx, func(ctx context.Context) error {
		for i := range n {
			if err := s.InsertMail(ctx, letter(nil, strconv.Itoa(i))); err != nil {
				return err
			}
		}
		return nil
	}))
	var mu sync.Mutex
	by := map[roster.MailID]string{}
	for _, err := range together(crowd, func(i int) error {
		me := "claim " + strconv.Itoa(i)
		for {
			mails, err := s.ClaimMails(ctx, me, at(0), at(time.Hour), 1+i)
			if err != nil || len(mails) == 0 {
				return err
			}
			for _, m := range mails {
				mu.Lock()
				other, taken := by[m.ID]
				by[m.ID] = me
				mu.Unlock()
				if taken || m.Claim != me || m.Attempts != 1 {
					return fmt.Errorf("storetest: %s has what %q has: %d attempts, claim %q", me, other, m.Attempts, m.Claim)
				}
				m.SentAt = at(time.Minute)
				if err := s.SettleMail(ctx, m); err != nil {
					return errors.New("storetest: a claim was lost: " + err.Error())
				}
			}
		}
	}) {
		ok(t, err)
	}
	same(t, "claimed", len(by), n)
	same(t, "still pending", got(s.CountMails(ctx, n))(t), 0)
}
