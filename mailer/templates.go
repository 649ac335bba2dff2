package mailer

import (
	"embed"
	"errors"
	"fmt"
	htmltemplate "html/template"
	"io/fs"
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"
	"text/template"

	"github.com/go-roster/roster"
)

//go:embed templates
var builtIn embed.FS

// templates are what messages are made from, by the names of their files
// without the ending: mail, reset_password, reset_password.de.
type templates struct {
	text map[string]*template.Template
	html map[string]*htmltemplate.Template
}

// newTemplates parses the templates that are built in and those of the host.
func newTemplates(host fs.FS, languages catalogues) (*templates, error) {
	ts := &templates{make(map[string]*template.Template), make(map[string]*htmltemplate.Template)}
	sub, err := fs.Sub(builtIn, "templates")
	if err != nil {
		return nil, err
	}
	errs := []error{ts.read(sub, languages)}
	if host != nil {
		errs = append(errs, ts.read(host, languages))
	}
	return ts, errors.Join(errs...)
}

func (ts *templates) read(files fs.FS, languages catalogues) error {
	var errs []error
	err := fs.WalkDir(files, ".", func(file string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			return nil
		}
		if path.Dir(file) == "locales" && path.Ext(file) == ".json" {
			return nil
		}
		if err := ts.parse(files, file, languages); err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", file, err))
		}
		return nil
	})
	return errors.Join(append(errs, err)...)
}

func (ts *templates) parse(files fs.FS, file string, languages catalogues) error {
	ext := path.Ext(file)
	base := strings.TrimSuffix(file, ext)
	kind, lang, localized := strings.Cut(base, ".")
	switch {
	case ext != ".txt" && ext != ".html":
		return errors.New("is neither a template (.txt, .html) nor a catalogue (locales/*.json)")
	case kind != "mail" && name(roster.MailKind(kind)) == "":
		return fmt.Errorf("there is no kind of mail %q, only mail (for all) and %q", kind, roster.MailKinds())
	case localized && languages[lang] == nil:
		return fmt.Errorf("there is no language %q, only %q", lang, slices.Sorted(maps.Keys(languages)))
	}
	text, err := fs.ReadFile(files, file)
	if err != nil {
		return err
	}
	if ext == ".txt" {
		ts.text[base], err = template.New(file).Option("missingkey=error").Parse(string(text))
	} else {
		ts.html[base], err = htmltemplate.New(file).Option("missingkey=error").Parse(string(text))
	}
	return err
}

// best finds the template for a mail: that of its kind in its language, of its
// kind, of all kinds in its language, of all kinds.
func best[T any](all map[string]T, c *Content) T {
	kind := string(c.Kind)
	for _, base := range []string{kind + "." + c.cat.name, kind, "mail." + c.cat.name} {
		if t, ok := all[base]; ok {
			return t
		}
	}
	return all["mail"]
}

var (
	manyBreaks = regexp.MustCompile(`\n{3,}`)
	spaces     = regexp.MustCompile(`[ \t]+\n`)
)

// execute makes the two parts of a message.
func (ts *templates) execute(c *Content) (text, html string, err error) {
	var t, h strings.Builder
	if err := best(ts.text, c).Execute(&t, c); err != nil {
		return "", "", err
	}
	if err := best(ts.html, c).Execute(&h, c); err != nil {
		return "", "", err
	}
	// What a template leaves out leaves its blank lines.
	text = manyBreaks.ReplaceAllString(spaces.ReplaceAllString(lines(t.String()), "\n"), "\n\n")
	return strings.Trim(text, "\n") + "\n", lines(h.String()), nil
}
