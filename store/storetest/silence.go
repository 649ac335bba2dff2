package storetest

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-roster/roster"
)

var silenceCases = []testCase{
	{name: "Errors/Silent", rule: "No error text holds a name, an address, a hash or anything else of a row.", run: errorsSilent},
}

func errorsSilent(t *testing.T, s roster.Store) {
	const mark = "xyzzy" // in every text, and in no word
	ctx := t.Context()
	ann, ben := fullUser(mark), user(mark+" ben")
	ann.DeletedAt = time.Time{}
	ok(t, s.InsertUser(ctx, ann, mark))
	insert(t, s, ben)
	e := proven(ann, mark)
	e.Primary = true
	insertEmail(t, s, e)
	bens := insertEmail(t, s, pending(ben, mark))
	insertActivation(t, s, activation(e, mark))
	putCredential(t, s, credential(ann, 0, mark))
	insertSession(t, s, session(ann, 1, mark))
	ok(t, s.ClaimName(ctx, mark, ann.ID, at(0)))

	ghost := &roster.User{ID: ben.ID + 1000, NameKey: mark, Name: mark, RealName: mark}
	taken, uuid := user(mark), user(mark+" other")
	uuid.UUID = ann.UUID
	renamed := clone(ben)
	renamed.NameKey = mark
	second := primary(ann, mark+" second")
	secret, other := roster.NewSecret(mark), roster.NewSecret(mark+" other")
	marked := group(mark)
	insertGroup(t, s, marked)
	canceled, cancel := context.WithCancel(ctx)
	cancel()
	for what, err := range map[string]error{
		"a taken name":           s.InsertUser(ctx, taken, mark),
		"a taken UUID":           s.InsertUser(ctx, uuid, mark),
		"renamed to a taken":     s.UpdateUser(ctx, renamed, mark),
		"a stale row":            s.UpdateUser(ctx, ghost, mark),
		"an unknown name":        only(s.UserByName(ctx, mark+"?")),
		"an unknown address":     only(s.UserByEmail(ctx, mark+"?")),
		"a claimed name":         s.ClaimName(ctx, mark, ben.ID, at(0)),
		"a name for nobody":      s.ClaimName(ctx, mark+"?", ghost.ID, at(0)),
		"no name to hold back":   s.RetireName(ctx, mark+"?", ann.ID, at(0)),
		"an address twice":       s.InsertEmail(ctx, pending(ann, mark)),
		"a taken address":        s.InsertEmail(ctx, proven(&roster.User{ID: ghost.ID}, mark)),
		"a second mark":          s.InsertEmail(ctx, second),
		"an address of nobody":   s.InsertEmail(ctx, pending(ghost, mark+"?")),
		"activating a taken":     s.ActivateEmail(ctx, bens.ID, at(0)),
		"a taken code":           s.InsertActivation(ctx, activation(bens, mark)),
		"a code to nowhere":      s.InsertActivation(ctx, activation(&roster.UserEmail{ID: bens.ID + 1000}, mark+"?")),
		"an unknown code":        only(s.ActivationByHash(ctx, mark+"?")),
		"a code too late":        only(s.RedeemActivation(ctx, mark, at(9000*time.Hour), mark)),
		"a password of nobody":   s.PutCredential(ctx, credential(ghost, 0, mark)),
		"a changed password":     s.SwapCredential(ctx, ann.ID, 0, other, secret),
		"a mail for nobody":      s.InsertMail(ctx, letter(ghost, mark)),
		"a claim that is lost":   s.SettleMail(ctx, &roster.QueuedMail{ID: 1, Claim: mark}),
		"too many counts":        only(s.LimitCounts(ctx, at(0), slices.Repeat([]string{mark}, roster.MaxLimits+1)...)),
		"a taken token":          s.InsertSession(ctx, session(ben, 2, mark)),
		"a session of nobody":    s.InsertSession(ctx, session(ghost, 2, mark+"?")),
		"a taken group":          s.InsertGroup(ctx, marked),
		"a member of nothing":    only(s.PutMember(ctx, &roster.Membership{GroupID: 1 << 40, UserID: ann.ID, Rights: mark})),
		"a grant to nobody":      only(s.PutGrants(ctx, forever(roster.ToUser(ghost.ID), 0), roster.Permission(mark))),
		"an unknown token":       s.UpdateSession(ctx, roster.NewSecret(mark+"?"), session(ann, 1, mark)),
		"a context that is over": s.InsertUser(canceled, user(mark+"?"), mark),
	} {
		if err == nil {
			t.Errorf("%s: no error", what)
			continue
		}
		for _, text := range []string{err.Error(), fmt.Sprintf("%+v", err)} {
			if strings.Contains(strings.ToLower(text), mark) {
				t.Errorf("%s: the error tells what is in the row: %s", what, text)
			}
		}
	}
}
