package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"text/tabwriter"
	"time"
	"unicode"

	"golang.org/x/term"

	"github.com/go-roster/roster"
)

const width = 78

// screen writes what there is to see. Nothing it is given is a secret but the
// code in a mail.
type screen struct {
	w     io.Writer
	color bool
	steps int
	blank bool // the last line was empty
}

func newScreen(f *os.File) *screen {
	color := term.IsTerminal(int(f.Fd())) && os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb"
	return &screen{w: f, color: color}
}

// The colours, as ANSI attributes.
const (
	bold  = "1"
	dim   = "2"
	red   = "31"
	green = "32"
	cyan  = "36"
)

func (s *screen) paint(attribute, text string) string {
	if !s.color || text == "" {
		return text
	}
	return "\x1b[" + attribute + "m" + text + "\x1b[0m"
}

func (s *screen) line(text string) {
	fmt.Fprintln(s.w, text)
	s.blank = text == ""
}

// newline ends a line on which a terminal has shown nothing of the answer.
func (s *screen) newline() {
	s.line("")
	s.blank = false
}

// gap sees to it that there is an empty line.
func (s *screen) gap() {
	if !s.blank {
		s.line("")
	}
}

func (s *screen) title(what, where string) {
	s.gap()
	s.line(s.paint(bold, what) + s.paint(dim, " · "+where))
	s.gap()
}

// step begins a step and names the calls that make it.
func (s *screen) step(title, calls string) {
	s.steps++
	head := fmt.Sprintf("%d  %s", s.steps, title)
	gap := max(2, width-runes(head)-runes(calls))
	s.gap()
	s.line(s.paint(bold, head) + strings.Repeat(" ", gap) + s.paint(cyan, calls))
	s.gap()
}

func (s *screen) done(format string, args ...any) {
	s.line("   " + s.paint(green, "✓") + " " + fmt.Sprintf(format, args...))
}

// bad makes a sentence of what is wrong.
func (s *screen) bad(what string) {
	s.line("   " + s.paint(red, "✗") + " " + strings.ToUpper(what[:1]) + what[1:] + ".")
}

func (s *screen) note(format string, args ...any) {
	s.line("   " + s.paint(dim, fmt.Sprintf(format, args...)))
}

func (s *screen) end(format string, args ...any) {
	s.gap()
	s.line(s.paint(bold, fmt.Sprintf(format, args...)))
}

// prompt leaves the cursor where the answer goes. def is what Enter answers;
// nobody needs to know it where nobody is asked.
func (s *screen) prompt(label, def string, terminal bool) {
	if terminal && def != "" {
		def = s.paint(dim, "["+def+"]") + " "
	} else {
		def = ""
	}
	fmt.Fprintf(s.w, "   %-10s %s", label, def)
	s.blank = false
}

// answer shows an answer that needs no question.
func (s *screen) answer(label, answer string) {
	s.prompt(label, "", false)
	s.echo(answer)
}

// echo shows what somebody has typed.
func (s *screen) echo(typed string) {
	s.line(strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return '?'
		}
		return r
	}, typed))
}

// subjects are what the mails are about. A real mailer has a template for each
// kind, in each language.
var subjects = map[roster.MailKind]string{
	roster.MailActivateAccount: "Activate your account",
	roster.MailResetPassword:   "Set a new password",
	roster.MailPasswordChanged: "Your password was changed",
}

// mail shows a mail in place of sending it.
func (s *screen) mail(m roster.Mail) {
	bar := s.paint(dim, "│")
	put := func(format string, args ...any) {
		s.line(strings.TrimRight("   "+bar+" "+fmt.Sprintf(format, args...), " "))
	}
	subject, ok := subjects[m.Kind]
	if !ok {
		subject = string(m.Kind)
	}
	s.gap()
	s.line("   " + s.paint(dim, "╭─ a mail "+strings.Repeat("─", width-13)))
	put("To        %s", m.To)
	put("Subject   %s", subject)
	put("Language  %s", m.Locale)
	if !m.Code.IsZero() {
		put("")
		put("Copy this link, or only the code behind the #:")
		put("%s", s.paint(bold, m.Link.Reveal()))
		put("")
		put("Good until %s (%s).", clock(m.User, m.ExpiresAt), left(time.Until(m.ExpiresAt)))
	}
	s.line("   " + s.paint(dim, "╰"+strings.Repeat("─", width-4)))
	s.gap()
}

// left says how long d is, to the hour or the minute.
func left(d time.Duration) string {
	if h := d.Round(time.Hour); h >= time.Hour {
		return count(int(h.Hours()), "hour")
	}
	return count(int(d.Round(time.Minute).Minutes()), "minute")
}

// account shows a user as a table.
func (s *screen) account(u *roster.User, emails []*roster.UserEmail) {
	row := func(label, value string) {
		if value == "" {
			value = s.paint(dim, "none")
		}
		s.line(fmt.Sprintf("   %s%s", s.paint(dim, fmt.Sprintf("%-14s", label)), value))
	}
	row("Name", u.Name)
	row("Real name", u.RealName)
	for i, e := range emails {
		label := "Addresses"
		if i > 0 {
			label = ""
		}
		row(label, e.Address+s.paint(dim, "  "+standing(e)))
	}
	row("Language", u.Locale)
	row("Time zone", u.Location().String())
	row("State", state(u))
	row("Came by", roster.RegistrationSource.Get(u))
	row("Registered", clock(u, u.CreatedAt))
	row("Activated", clock(u, u.ActivatedAt))
	row("Last sign-in", clock(u, u.LastLoginAt))
	row("ID", fmt.Sprintf("%d%s", u.ID, s.paint(dim, "  inside the program")))
	row("UUID", u.UUID.String()+s.paint(dim, "  for the world"))
}

func standing(e *roster.UserEmail) string {
	standing := "pending"
	if e.IsActivated() {
		standing = "activated"
	}
	if e.Primary {
		standing += ", primary"
	}
	return standing
}

func state(u *roster.User) string {
	switch {
	case u.CanLogin():
		return "active"
	case !u.IsActivated():
		return "pending"
	default:
		return "disabled"
	}
}

// users shows one user a line.
func (s *screen) users(users []*roster.User, emails map[roster.UserID][]*roster.UserEmail) {
	w := tabwriter.NewWriter(s.w, 0, 0, 3, ' ', 0)
	for _, u := range users {
		address := "no address"
		if list := emails[u.ID]; len(list) > 0 {
			address = list[0].Address // the primary one
		}
		fmt.Fprintf(w, "     %s\t%s\t%s\n", u.Name, u.RealName, address)
	}
	_ = w.Flush()
}

func runes(s string) int { return len([]rune(s)) }
