// Quickstart signs a person up, proves the address, signs in and finds the
// account again, all in one SQLite file. Each step names the call that made it.
//
//	go run ./examples/quickstart
//
// At a terminal it asks. Elsewhere it reads one answer a line from standard
// input, and takes the answers of a demo person where there is none. Run it
// again and it finds the account and signs in.
//
// story.go and find.go are what there is to learn from. main.go has the flags and
// opens the accounts, form.go holds the answers, ask.go reads them, show.go and
// explain.go write.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	_ "time/tzdata" // so that every machine knows every time zone

	"github.com/go-roster/roster"
	"github.com/go-roster/roster/store/sqlite"
)

// The exit codes. An interrupt is 128 + SIGINT, as in a shell.
const (
	exitOK = iota
	exitFailure
	exitUsage
	exitInterrupted = 130
)

// demoPassword is everybody's password who gives none. It is here for all to
// read, so it is no secret; it is not shown all the same.
const demoPassword = "correct horse battery"

func main() {
	os.Exit(quickstart())
}

func quickstart() int {
	// A signal ends the context. Every verb and every question listens to it,
	// so what was begun is rolled back and the store is closed below.
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()

	form, opts, err := parse(os.Args[1:])
	switch {
	case errors.Is(err, flag.ErrHelp):
		return exitOK
	case err != nil:
		return exitUsage // the flag package has said why
	}
	show := newScreen(os.Stdout)
	err = run(ctx, form, opts, show)
	var usage usageError
	switch {
	case err == nil:
		return exitOK
	case ctx.Err() != nil:
		fmt.Fprintln(os.Stderr, "\nInterrupted. Run it again to go on.")
		return exitInterrupted
	case errors.As(err, &usage):
		fmt.Fprintln(os.Stderr, "quickstart:", usage)
		return exitUsage
	default:
		fmt.Fprintln(os.Stderr, "quickstart:", explain(err))
		return exitFailure
	}
}

// options are the flags that are not about the person.
type options struct {
	db  string
	yes bool
}

// usageError is a flag that cannot be used as it stands.
type usageError string

func (e usageError) Error() string { return string(e) }

func parse(args []string) (*form, options, error) {
	var opts options
	f := newForm()
	fs := flag.NewFlagSet("quickstart", flag.ContinueOnError)
	fs.StringVar(&opts.db, "db", "roster.db", "the SQLite `file`, made if there is none")
	fs.BoolVar(&opts.yes, "yes", false, "ask nothing, take the defaults")
	for _, q := range f.questions {
		fs.StringVar(q.answer, q.flag, "", q.help)
	}
	fs.Usage = func() {
		w := fs.Output()
		fmt.Fprint(w, "Quickstart signs a person up in a SQLite file, or signs in who is there.\n\n",
			"Usage: quickstart [flags]\n\n")
		fs.PrintDefaults()
		fmt.Fprint(w, "\nIt asks for what no flag gives, if it runs at a terminal. Exit codes: 0 done,\n",
			"1 failed, 2 a flag is wrong, 130 interrupted.\n")
	}
	if wantsHelp(args) {
		fs.SetOutput(os.Stdout)
	}
	if err := fs.Parse(args); err != nil {
		return nil, opts, err
	}
	var err error
	switch {
	case fs.NArg() > 0:
		err = usageError(fmt.Sprintf("unexpected argument %q (-h shows the flags)", fs.Arg(0)))
	case opts.db == "":
		err = usageError("-db: the name of the file is missing")
	}
	if err != nil {
		fmt.Fprintln(fs.Output(), "quickstart:", err)
		return nil, opts, err
	}
	fs.Visit(func(given *flag.Flag) { f.given(given.Name) })
	return f, opts, nil
}

// wantsHelp reports whether the usage was asked for, so that it is no error.
func wantsHelp(args []string) bool {
	probe := flag.NewFlagSet("", flag.ContinueOnError)
	probe.SetOutput(io.Discard)
	return len(args) == 1 && errors.Is(probe.Parse(args), flag.ErrHelp)
}

// run opens the accounts and tells the story.
func run(ctx context.Context, f *form, opts options, show *screen) (err error) {
	store, err := sqlite.Open(ctx, opts.db)
	if err != nil {
		return fmt.Errorf("open %s: %s", opts.db, explain(err))
	}
	defer func() { err = errors.Join(err, store.Close()) }()

	s := &story{form: f, show: show, ask: newAsker(show, opts.yes)}
	s.users, err = roster.New(store, &roster.Options{
		// A real mailer writes to an outbox in the same transaction, or sends
		// after the commit as this one does. It must not send at once: the
		// transaction may still fail, or run again.
		Mailer: roster.MailerFunc(func(ctx context.Context, m roster.Mail) error {
			roster.AfterCommit(ctx, func(context.Context) { s.deliver(m) })
			return nil
		}),

		// After the # a link keeps the code out of the logs of servers.
		ActivationURL: "https://example.org/activate#{code}",
		ResetURL:      "https://example.org/reset#{code}",

		// Here one person sits before both sides, so a taken address may be
		// named. On the web leave it off: it tells who has an account.
		TellTakenAddress: true,
	})
	if err != nil {
		return err
	}
	show.title("roster quickstart", opts.db)
	if s.ask.terminal {
		show.note("Enter takes the answer in [brackets], Ctrl-C leaves.")
		show.gap()
	}
	return s.tell(ctx)
}
