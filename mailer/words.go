package mailer

import (
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/go-roster/roster"
)

// Words are what the messages of a catalogue are filled in with, each by a
// placeholder of its name: {{.Service}}. They are text: nothing in them is taken
// for a template or for HTML, none has a line break, and each is set apart from
// text of the other direction.
type Words struct {
	Service string // Options.Service
	Support string // Options.Support; may be empty
	Name    string // how to address the reader; empty in mail to an address that is not proven
	Account string // name of the account, or the address if the name was made up
	Address string // to which the mail goes

	When                       string // date and time, of the expiry or of what happened, in words
	Day, Month, Year, Clock    string // that taken apart: 2, January, 2030, 13:00 (UTC+1)
	Count                      string // minutes, hours, days or failures
	Label                      string // before a colon
	Addresses, Device, Network string // several addresses; browser and system; IP address
}

// placeholder reports whether Words have a field of the name.
func placeholder(name string) bool {
	_, ok := reflect.TypeFor[Words]().FieldByName(name)
	return ok
}

// words fills in what a mail says whatever it is about.
func (c *Composer) words(m roster.Mail, cat *catalogue) *Words {
	w := &Words{
		Service: isolated(c.opts.Service, cat.rtl),
		Support: isolated(c.opts.Support, cat.rtl),
		Address: isolated(shown(m.To, maxAddress), cat.rtl),
	}
	w.Account = w.Address
	if u := m.User; u != nil {
		if !u.NameAuto && u.Name != "" {
			w.Account = isolated(shown(u.Name, maxName), cat.rtl)
		}
		if name := u.FriendlyName(""); known(m) && (u.RealName != "" || !u.NameAuto) {
			w.Name = isolated(shown(name, maxName), cat.rtl)
		}
	}
	w.Network, w.Device = network(m.Client), device(m.Client.UserAgent)
	var addresses []string
	for _, address := range m.Emails[:min(len(m.Emails), maxListed)] {
		addresses = append(addresses, isolated(shown(address, maxAddress), cat.rtl))
	}
	w.Addresses = strings.Join(addresses, " · ")
	return w
}

// maxListed is how many addresses a mail lists.
const maxListed = 10

// known reports whether a mail goes to somebody who has proven to be who they
// say. Anybody can type somebody else's address, with an advertisement for a
// name: to those the mail says no more of it than the name of the account.
func known(m roster.Mail) bool {
	return !slices.Contains(unproven, m.Kind) && m.User != nil && m.User.IsActivated()
}

// moment says in words when something is, in the time zone of the user.
func (w *Words) moment(cat *catalogue, at time.Time, zone *time.Location) error {
	at = at.In(zone)
	w.Day, w.Year = strconv.Itoa(at.Day()), strconv.Itoa(at.Year())
	w.Clock = isolated(at.Format("15:04")+"\u00a0("+offset(at)+")", cat.rtl)
	var err error
	if at.Day() == 1 {
		if w.Day, err = cat.say("first_day", 0, w); err != nil {
			return err
		}
	}
	if w.Month, err = cat.say("month."+at.Format("01"), 0, w); err != nil {
		return err
	}
	w.When, err = cat.say("when", 0, w)
	return err
}

// offset is how far a clock is ahead of UTC. The letters of zones mean
// something else everywhere.
func offset(at time.Time) string {
	_, seconds := at.Zone()
	if seconds == 0 {
		return "UTC"
	}
	sign := "+"
	if seconds < 0 {
		sign, seconds = "−", -seconds
	}
	s := "UTC" + sign + strconv.Itoa(seconds/3600)
	if minutes := seconds % 3600 / 60; minutes > 0 {
		s += ":" + strconv.Itoa(minutes/10) + strconv.Itoa(minutes%10)
	}
	return s
}

// span says how long something lasts, in the unit that people would use, and in
// which message of the catalogue. It rounds down, but for the while that has
// passed since a code was made.
func span(d time.Duration) (unit string, n int) {
	d += min(d/50, 10*time.Minute)
	switch minutes := int(d / time.Minute); {
	case minutes < 1:
		return "minutes", 1
	case minutes < 60, minutes < 120 && minutes%60 > 2:
		return "minutes", minutes
	case minutes < 48*60:
		return "hours", minutes / 60
	default:
		return "days", minutes / (24 * 60)
	}
}
