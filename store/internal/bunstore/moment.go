package bunstore

import (
	"fmt"
	"time"
)

// moment scans a time, in UTC. NULL is zero.
type moment time.Time

// Scan implements [sql.Scanner].
func (m *moment) Scan(src any) error {
	switch src := src.(type) {
	case nil:
		*m = moment{}
	case time.Time:
		*m = moment(src.UTC())
	case string:
		return m.parse(src)
	case []byte:
		return m.parse(string(src))
	default:
		return fmt.Errorf("a time is a %T", src)
	}
	return nil
}

// Layout is how a time is written where there is no type for it. It is what bun
// writes, and sorts as the times do until the year 9999.
const Layout = "2006-01-02 15:04:05.999999-07:00"

// FormatTime writes a time as text.
func FormatTime(t time.Time) any { return t.UTC().Format(Layout) }

// parse reads what FormatTime has written, and whatever else has that layout.
func (m *moment) parse(s string) error {
	if t, ok := parseUTC(s); ok {
		*m = moment(t)
		return nil
	}
	t, err := time.Parse(Layout, s)
	if err != nil {
		return fmt.Errorf("a time of %d bytes is malformed", len(s))
	}
	*m = moment(t.UTC())
	return nil
}

// parseUTC is time.Parse for the layout in UTC, only faster, and for years of
// any length.
func parseUTC(s string) (time.Time, bool) {
	const rest, zone = "-01-02 15:04:05", "+00:00"
	year := 0
	for year < len(s) && s[year] != '-' {
		year++
	}
	if year < 4 || year > 4 && s[0] == '0' || len(s) < year+len(rest)+len(zone) || s[len(s)-len(zone):] != zone {
		return time.Time{}, false
	}
	s, tail := s[:len(s)-len(zone)], s[year:len(s)-len(zone)]
	if tail[3] != '-' || tail[6] != ' ' || tail[9] != ':' || tail[12] != ':' {
		return time.Time{}, false
	}
	micros, ok := 0, true
	if fraction := tail[len(rest):]; fraction != "" {
		if fraction[0] != '.' || len(fraction) == 1 || len(fraction) > 7 {
			return time.Time{}, false
		}
		micros = number(fraction[1:], &ok)
		for range 7 - len(fraction) {
			micros *= 10
		}
	}
	month, day := number(tail[1:3], &ok), number(tail[4:6], &ok)
	hour, minute, second := number(tail[7:9], &ok), number(tail[10:12], &ok), number(tail[13:15], &ok)
	t := time.Date(number(s[:year], &ok), time.Month(month), day, hour, minute, second, micros*1000, time.UTC)
	return t, ok && month >= 1 && month <= 12 && t.Day() == day && hour < 24 && minute < 60 && second < 60
}

// number clears ok if s is not made of digits.
func number(s string, ok *bool) int {
	n := 0
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' || n > 1<<30 {
			*ok = false
		}
		n = 10*n + int(s[i]-'0')
	}
	return n
}
