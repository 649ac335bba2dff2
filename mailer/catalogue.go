package mailer

import (
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/nicksnyder/go-i18n/v2/i18n"
	"golang.org/x/text/feature/plural"
	"golang.org/x/text/language"
)

// reference is the language whose catalogue says which messages there are, and
// what each may be filled in with.
const reference = "en"

//go:embed locales/*.json
var locales embed.FS

// catalogue is the messages of one language.
type catalogue struct {
	name     string // as the file is called: "pt-BR"
	tag      language.Tag
	messages map[string]*i18n.Message
	rtl      bool

	localizer *i18n.Localizer // of these messages and no others
}

// catalogues are all languages, by name.
type catalogues map[string]*catalogue

// newCatalogues reads the languages that are built in and those of the host,
// whose messages come before. It reports everything that is wrong with the
// host's.
func newCatalogues(host fs.FS) (catalogues, error) {
	all := make(catalogues)
	if err := all.read(locales, "locales", nil); err != nil {
		return nil, err
	}
	var errs []error
	if host != nil {
		known := slices.Collect(maps.Keys(all))
		errs = append(errs, all.read(host, "locales", known))
	}
	for _, name := range slices.Sorted(maps.Keys(all)) {
		errs = append(errs, all[name].bundle())
	}
	return all, errors.Join(errs...)
}

// read adds the catalogues of a folder. Languages that are not known must be
// complete.
func (cs catalogues) read(files fs.FS, dir string, known []string) error {
	names, err := fs.Glob(files, path.Join(dir, "*.json"))
	if err != nil {
		return err
	}
	var errs []error
	for _, file := range names {
		name := strings.TrimSuffix(path.Base(file), ".json")
		if err := cs.add(files, file, name); err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", file, err))
		}
		if known != nil && cs[name] != nil {
			errs = append(errs, inFile(file, cs[name].compare(cs[reference], !slices.Contains(known, name)))...)
		}
	}
	return errors.Join(errs...)
}

func (cs catalogues) add(files fs.FS, file, name string) error {
	tag, err := language.Parse(name)
	if err != nil || tag == language.Und || tag.String() != name {
		return errors.New("is not named after a language as BCP 47 writes it, such as de.json or pt-BR.json")
	}
	text, err := fs.ReadFile(files, file)
	if err != nil {
		return err
	}
	parsed, err := i18n.ParseMessageFileBytes(text, path.Base(file), nil)
	if err != nil {
		return err
	}
	c := cs[name]
	if c == nil {
		c = &catalogue{name: name, tag: tag, messages: make(map[string]*i18n.Message), rtl: fromRightToLeft(tag)}
		cs[name] = c
	}
	for _, m := range parsed.Messages {
		c.messages[m.ID] = m
	}
	return nil
}

// bundle makes the messages ready for use.
func (c *catalogue) bundle() error {
	bundle := i18n.NewBundle(c.tag)
	if err := bundle.AddMessages(c.tag, slices.Collect(maps.Values(c.messages))...); err != nil {
		return fmt.Errorf("language %s: %w", c.name, err)
	}
	c.localizer = i18n.NewLocalizer(bundle, c.tag.String())
	return nil
}

// say fills a message in. count picks the plural form of those that have some.
func (c *catalogue) say(id string, count int, data *Words) (string, error) {
	config := &i18n.LocalizeConfig{MessageID: id, TemplateData: data}
	if forms(c.messages[id]) > 1 {
		config.PluralCount = count
	}
	s, err := c.localizer.Localize(config)
	if err != nil {
		return "", fmt.Errorf("language %s, message %s: %w", c.name, id, err)
	}
	return s, nil
}

// texts are the plural forms of a message, by their names in CLDR.
func texts(m *i18n.Message) map[string]string {
	all := map[string]string{
		"zero": m.Zero, "one": m.One, "two": m.Two, "few": m.Few, "many": m.Many, "other": m.Other,
	}
	maps.DeleteFunc(all, func(_, text string) bool { return text == "" })
	return all
}

func forms(m *i18n.Message) int {
	if m == nil {
		return 0
	}
	return len(texts(m))
}

// counted is how far numbers are looked at to find the plural forms that a
// language has for them: more minutes, hours or days than a code lives, and
// more failures than are counted.
const counted = 200

// countForms are the plural forms that a language needs for whole numbers.
func countForms(tag language.Tag) map[string]bool {
	names := map[plural.Form]string{
		plural.Zero: "zero", plural.One: "one", plural.Two: "two", plural.Few: "few", plural.Many: "many", plural.Other: "other",
	}
	needed := map[string]bool{"other": true}
	for n := range counted {
		needed[names[plural.Cardinal.MatchPlural(tag, n, 0, 0, 0, 0)]] = true
	}
	return needed
}

// fromRightToLeft reports whether a language is written so.
func fromRightToLeft(tag language.Tag) bool {
	script, _ := tag.Script()
	return slices.Contains([]string{"Arab", "Hebr", "Syrc", "Thaa", "Nkoo", "Adlm", "Rohg", "Mand", "Samr"}, script.String())
}

func inFile(file string, errs []error) []error {
	for i, err := range errs {
		errs[i] = fmt.Errorf("%s: %w", file, err)
	}
	return errs
}
