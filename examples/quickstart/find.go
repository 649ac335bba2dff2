package main

import (
	"context"
	"fmt"
	"time"

	"github.com/go-roster/roster"
)

// account prints what roster knows.
func (s *story) account(ctx context.Context, id roster.UserID) error {
	s.show.step("The account", "users.ByID, users.Emails")
	u, err := s.users.ByID(ctx, id)
	if err != nil {
		return err
	}
	emails, err := s.users.Emails(ctx, id)
	if err != nil {
		return err
	}
	s.show.account(u, emails)
	return nil
}

// findAgain looks for the user in every way there is.
func (s *story) findAgain(ctx context.Context, id roster.UserID) error {
	s.show.step("Find it again", "users.ByName, ByEmail, ByAddress, Search, Count")
	u, err := s.users.ByName(ctx, s.form.Name)
	if err != nil {
		return err
	}
	s.show.done("%-12s %s", "by name", u.Name)
	primary, err := s.users.PrimaryEmail(ctx, id)
	if err != nil {
		return err
	}
	if _, err := s.users.ByEmail(ctx, primary.Address); err != nil {
		return err
	}
	s.show.done("%-12s %s", "by address", primary.Address)
	mailbox := roster.FormatMailbox(u.RealName, primary.Address)
	if _, err := s.users.ByAddress(ctx, mailbox); err != nil {
		return err
	}
	s.show.done("%-12s %s", "by mailbox", mailbox)
	return s.search(ctx, u)
}

// search lists who matches the beginning of the name.
func (s *story) search(ctx context.Context, u *roster.User) error {
	pattern := u.Name
	if runes := []rune(pattern); len(runes) > 3 {
		pattern = string(runes[:3])
	}
	page, err := s.users.Search(ctx, roster.Query{Pattern: pattern, Limit: 5})
	if err != nil {
		return err
	}
	total, err := s.users.Count(ctx, roster.Query{})
	if err != nil {
		return err
	}
	ids := make([]roster.UserID, len(page.Items))
	for i, u := range page.Items {
		ids[i] = u.ID
	}
	emails, err := s.users.EmailsOf(ctx, ids...) // one question for the whole page
	if err != nil {
		return err
	}
	s.show.done("%-12s %q (%s in all)", "by search", pattern, count(total, "account"))
	s.show.users(page.Items, emails)
	if page.Next != "" {
		s.show.note("and more: page.Next is the cursor of the next page")
	}
	s.show.end("Done. Run it again: %s is there now, and signs in.", u.Name)
	return nil
}

// clock shows a time as the user's clock does.
func clock(u *roster.User, t time.Time) string {
	return t.In(u.Location()).Format("2 Jan 2006, 15:04 MST")
}

func count(n int, noun string) string {
	if n != 1 {
		noun += "s"
	}
	return fmt.Sprintf("%d %s", n, noun)
}
