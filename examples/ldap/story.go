package main

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/go-roster/roster"
)

// story writes down what it does.
type story struct {
	users *roster.Users
	out   io.Writer
}

func (s *story) say(format string, args ...any) { fmt.Fprintf(s.out, format+"\n", args...) }

// signIn is what the page with the form for name and password does.
func (s *story) signIn(ctx context.Context, name, password string) error {
	s.say("\n# %s signs in: users.Authenticate", name)
	u, err := s.users.Authenticate(ctx, name, password)
	switch {
	case errors.Is(err, roster.ErrCredentials):
		s.say("Name or password are wrong.") // and no word on which
		return nil
	case errors.Is(err, roster.ErrUnavailable):
		s.say("The directory does not answer. Please try again later.")
		return err
	case err != nil:
		return err
	}
	return s.show(ctx, u)
}

// show shows an account.
func (s *story) show(ctx context.Context, u *roster.User) error {
	s.say("account    %d, of the directory %q", u.ID, u.DirectoryID)
	s.say("name       %s", u.Name)
	s.say("real name  %s", u.RealName)
	s.say("locale     %s", u.Locale)
	emails, err := s.users.Emails(ctx, u.ID)
	if err != nil {
		return err
	}
	for _, e := range emails {
		s.say("address    %s, activated: %t, primary: %t", e.Address, e.IsActivated(), e.Primary)
	}
	groups, err := s.users.GroupsOf(ctx, u.ID)
	if err != nil {
		return err
	}
	for _, g := range groups[u.ID] {
		s.say("group      %s", g.Name)
	}
	s.say("state      enabled: %t", u.Enabled)
	return nil
}

// plan says what a sync would do.
func (s *story) plan(ctx context.Context) (*roster.Plan, error) {
	s.say("\n# What a sync would do: users.PlanSync")
	plan, err := s.users.PlanSync(ctx, "corp", roster.Brake{})
	if err != nil {
		return nil, err
	}
	fmt.Fprint(s.out, plan)
	return plan, nil
}

// apply does it.
func (s *story) apply(ctx context.Context, plan *roster.Plan) error {
	s.say("\n# Do it: users.ApplySync")
	report, err := s.users.ApplySync(ctx, plan)
	s.say("created %d, updated %d, disabled %d", report.Created, report.Updated, report.Disabled)
	return err
}

// visit is the story of a directory of yours, which is only read.
func visit(ctx context.Context, s settings, name, password string, out io.Writer) error {
	users, corp, err := open(s)
	if err != nil {
		return err
	}
	defer func() { _ = corp.Close() }()
	story := &story{users, out}
	if name != "" {
		if err := story.signIn(ctx, name, password); err != nil {
			return err
		}
	}
	_, err = story.plan(ctx)
	return err
}
