package mailer

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"text/template/parse"

	"github.com/nicksnyder/go-i18n/v2/i18n"
)

// compare lists what is wrong with a catalogue, which has to have the messages
// of another. One that is to be complete has them all, with the same
// placeholders; one that changes a few messages may leave some out.
func (c *catalogue) compare(other *catalogue, complete bool) []error {
	var errs []error
	for _, id := range slices.Sorted(maps.Keys(c.messages)) {
		want := other.messages[id]
		if want == nil {
			errs = append(errs, fmt.Errorf("message %s: there is no such message", id))
			continue
		}
		errs = append(errs, c.compareMessage(c.messages[id], want, complete)...)
	}
	for _, id := range slices.Sorted(maps.Keys(other.messages)) {
		if c.messages[id] == nil {
			errs = append(errs, fmt.Errorf("message %s is missing", id))
		}
	}
	return errs
}

func (c *catalogue) compareMessage(m, want *i18n.Message, complete bool) []error {
	var errs []error
	wrong := func(format string, args ...any) {
		errs = append(errs, fmt.Errorf("message "+m.ID+": "+format, args...))
	}
	if m.LeftDelim != "" || m.RightDelim != "" {
		wrong("delimiters cannot be changed")
		return errs
	}
	needed := map[string]bool{"other": true}
	if forms(want) > 1 {
		needed = countForms(c.tag)
	}
	have := texts(m)
	for _, form := range slices.Sorted(maps.Keys(needed)) {
		if have[form] == "" {
			wrong("the plural form %q is missing", form)
		}
	}
	all, _, err := placeholders(texts(want))
	if err != nil {
		wrong("%v", err)
	}
	for _, form := range slices.Sorted(maps.Keys(have)) {
		text := have[form]
		if forms(want) == 1 && form != "other" {
			wrong("has a plural form %q, and there is nothing to count", form)
		}
		used, mixed, err := placeholders(map[string]string{form: text})
		switch {
		case err != nil:
			wrong("%v", err)
			continue
		case mixed:
			wrong("holds more than placeholders such as {{.Service}}")
		}
		for name := range used {
			if !placeholder(name) {
				wrong("there is no placeholder {{.%s}}", name)
			}
		}
		if !complete || form != "other" { // one, two and few need no number
			continue
		}
		for _, name := range slices.Sorted(maps.Keys(all)) {
			if !used[name] {
				wrong("the placeholder {{.%s}} is missing", name)
			}
		}
		for _, name := range slices.Sorted(maps.Keys(used)) {
			if !all[name] && placeholder(name) {
				wrong("the placeholder {{.%s}} is not one of this message", name)
			}
		}
	}
	return errs
}

// placeholders finds the names that the forms of a message are filled in with,
// and reports whether there is anything in them but text and names.
func placeholders(texts map[string]string) (names map[string]bool, mixed bool, err error) {
	names = make(map[string]bool)
	for _, text := range texts {
		trees, err := parse.Parse("message", text, "", "", nil)
		if err != nil {
			return nil, false, fmt.Errorf("cannot be parsed: %s", strings.TrimPrefix(err.Error(), "template: "))
		}
		for _, tree := range trees {
			for _, node := range tree.Root.Nodes {
				name, ok := field(node)
				switch {
				case ok && name != "":
					names[name] = true
				case !ok:
					mixed = true
				}
			}
		}
	}
	return names, mixed, nil
}

// field is the name in {{.Name}}. ok is false for anything else but text.
func field(node parse.Node) (name string, ok bool) {
	switch node := node.(type) {
	case *parse.TextNode:
		return "", true
	case *parse.ActionNode:
		if len(node.Pipe.Decl) > 0 || len(node.Pipe.Cmds) != 1 || len(node.Pipe.Cmds[0].Args) != 1 {
			return "", false
		}
		if f, is := node.Pipe.Cmds[0].Args[0].(*parse.FieldNode); is && len(f.Ident) == 1 {
			return f.Ident[0], true
		}
	}
	return "", false
}
