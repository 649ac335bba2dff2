package mailer

import (
	"strings"

	"github.com/go-roster/roster"
)

// browsers and systems are what people call the programs and systems that the
// User-Agent of a request names, the more telling ones first: nearly all say
// that they are Mozilla, Chrome and Safari as well.
var (
	browsers = [][2]string{
		{"Edg/", "Edge"},
		{"EdgA/", "Edge"},
		{"EdgiOS/", "Edge"},
		{"OPR/", "Opera"},
		{"Vivaldi/", "Vivaldi"},
		{"SamsungBrowser/", "Samsung Internet"},
		{"YaBrowser/", "Yandex"},
		{"FxiOS/", "Firefox"},
		{"Firefox/", "Firefox"},
		{"CriOS/", "Chrome"},
		{"Chromium/", "Chromium"},
		{"Chrome/", "Chrome"},
		{"Safari/", "Safari"},
	}
	systems = [][2]string{
		{"Windows", "Windows"},
		{"Android", "Android"},
		{"iPhone", "iPhone"},
		{"iPad", "iPad"},
		{"CrOS", "ChromeOS"},
		{"Mac OS X", "macOS"},
		{"Linux", "Linux"},
		{"FreeBSD", "FreeBSD"},
		{"OpenBSD", "OpenBSD"},
	}
)

// device tells a User-Agent in words that people know: "Firefox, Linux". Of what
// it does not know it takes the name before the slash; it is empty if there is
// none. No more than that of what a stranger has sent gets into a mail.
func device(agent string) string {
	agent = agent[:min(len(agent), 512)]
	var names []string
	for _, known := range [][][2]string{browsers, systems} {
		for _, k := range known {
			if strings.Contains(agent, k[0]) {
				names = append(names, k[1])
				break
			}
		}
	}
	if len(names) > 0 {
		return strings.Join(names, ", ")
	}
	name, _, _ := strings.Cut(agent, "/")
	if strings.ContainsFunc(name, func(r rune) bool { return !alphanumeric(r) && r != '-' && r != '_' }) {
		return ""
	}
	return shown(name, maxDevice)
}

// network is the IP address of a request, empty if it is unknown.
func network(c roster.Client) string {
	if !c.Addr.IsValid() {
		return ""
	}
	return c.Addr.Unmap().WithZone("").String()
}
