package roster_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"net/netip"
	"time"

	"github.com/go-roster/roster"
	"github.com/go-roster/roster/rostertest"
	"github.com/go-roster/roster/store/memory"
)

func Example() {
	ctx := context.Background()

	var code string // a real mailer sends it to m.To
	users, err := roster.New(memory.New(), &roster.Options{
		Mailer: roster.MailerFunc(func(ctx context.Context, m roster.Mail) error {
			roster.AfterCommit(ctx, func(context.Context) { code = m.Code.Reveal() })
			return nil
		}),
	})
	if err != nil {
		log.Fatal(err)
	}

	if _, err := users.Register(ctx, roster.NewUser{
		Name: "ann", Email: "ann@example.org", Password: "correct horse battery",
	}); err != nil {
		log.Fatal(err)
	}
	if _, err := users.ActivateWithPassword(ctx, code, "correct horse battery"); err != nil {
		log.Fatal(err)
	}

	ann, err := users.Authenticate(ctx, "ann@example.org", "correct horse battery")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(ann.Name, "is signed in")
	// Output: ann is signed in
}

// newUsers returns accounts in memory, with an instant hasher and a clock that
// stands still, and the mailbox that all mail goes to.
func newUsers() (*roster.Users, *rostertest.Mailbox) {
	mailbox := new(rostertest.Mailbox)
	users, err := roster.New(memory.New(), &roster.Options{
		Mailer: mailbox,
		Hasher: rostertest.Hasher{},
		Now:    rostertest.NewClock().Now,
	})
	if err != nil {
		log.Fatal(err)
	}
	return users, mailbox
}

// codeTo returns the code in the last mail to an address.
func codeTo(mailbox *rostertest.Mailbox, address string) string {
	mails := mailbox.To(address)
	return mails[len(mails)-1].Code.Reveal()
}

// mustRegister signs a person up and activates the account.
func mustRegister(users *roster.Users, mailbox *rostertest.Mailbox, name, realName string) *roster.User {
	ctx := context.Background()
	address := name + "@example.org"
	if _, err := users.Register(ctx, roster.NewUser{
		Name: name, RealName: realName, Email: address, Password: rostertest.Password,
	}); err != nil {
		log.Fatal(err)
	}
	u, err := users.ActivateWithPassword(ctx, codeTo(mailbox, address), rostertest.Password)
	if err != nil {
		log.Fatal(err)
	}
	return u
}

func ExampleUsers_Register() {
	ctx := context.Background()
	users, mailbox := newUsers()

	ann, err := users.Register(ctx, roster.NewUser{
		Name: "ann", RealName: "Ann Example", Email: "ann@example.org",
		Password: "correct horse battery", Locale: "de_AT", Timezone: "Europe/Vienna",
	})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(ann.Name, ann.Locale, ann.IsActivated())

	mail := mailbox.All()[0]
	fmt.Println(mail.Kind, "to", mail.To, "in", mail.Locale)
	fmt.Println("the code is", mail.Code) // Reveal shows it, nothing else does

	_, err = users.Register(ctx, roster.NewUser{
		Name: "ANN", Email: "other@example.org", Password: "correct horse battery",
	})
	var conflict *roster.ConflictError
	if errors.As(err, &conflict) {
		fmt.Println("taken:", conflict.Field)
	}
	// Output:
	// ann de-AT false
	// activate_account to ann@example.org in de-AT
	// the code is [redacted]
	// taken: name
}

func ExampleUsers_ActivateWithPassword() {
	ctx := context.Background()
	users, mailbox := newUsers()
	if _, err := users.Register(ctx, roster.NewUser{
		Name: "ann", Email: "ann@example.org", Password: "correct horse battery",
	}); err != nil {
		log.Fatal(err)
	}
	code := codeTo(mailbox, "ann@example.org")

	// The page that the link leads to only looks: mail scanners open it, too.
	peeked, err := users.Peek(ctx, code)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("activate", peeked.Email.Address, "for", peeked.User.Name)
	fmt.Println("ask for the password:", peeked.NeedsPassword)

	// The button on that page redeems the code. Who reads the mail says the
	// password, so that nobody else's is good.
	ann, err := users.ActivateWithPassword(ctx, code, "correct horse battery")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("activated:", ann.IsActivated())

	_, err = users.ActivateWithPassword(ctx, code, "correct horse battery")
	fmt.Println("once more:", errors.Is(err, roster.ErrActivation))
	// Output:
	// activate ann@example.org for ann
	// ask for the password: true
	// activated: true
	// once more: true
}

func ExampleUsers_Authenticate() {
	ctx := context.Background()
	users, mailbox := newUsers()
	mustRegister(users, mailbox, "ann", "Ann Example")

	ctx = roster.WithClient(ctx, roster.Client{Addr: netip.MustParseAddr("192.0.2.7"), TLS: true})
	for _, try := range []struct{ login, password string }{
		{"ann", rostertest.Password},
		{"ann@example.org", rostertest.Password},
		{"ann", "a guess"},
		{"nobody", "a guess"},
	} {
		ann, err := users.Authenticate(ctx, try.login, try.password)
		switch {
		case err == nil:
			fmt.Println("welcome", ann.DisplayName(), "from", ann.LastLoginIP)
		case errors.Is(err, roster.ErrNotActivated):
			fmt.Println("look into your mail first")
		case errors.Is(err, roster.ErrCredentials):
			fmt.Println("that was not right")
		default:
			fmt.Println("try again later")
		}
	}
	// Output:
	// welcome Ann Example from 192.0.2.7
	// welcome Ann Example from 192.0.2.7
	// that was not right
	// that was not right
}

func ExampleUsers_ResetPassword() {
	ctx := context.Background()
	users, mailbox := newUsers()
	ann := mustRegister(users, mailbox, "ann", "Ann Example")

	// The answer is nil whether there is such an account or not.
	fmt.Println(users.RequestPasswordReset(ctx, "nobody@example.org"))
	fmt.Println(users.RequestPasswordReset(ctx, "ann@example.org"))

	code := codeTo(mailbox, "ann@example.org")
	if _, err := users.ResetPassword(ctx, code, "staple battery horse"); err != nil {
		log.Fatal(err)
	}
	_, err := users.Authenticate(ctx, "ann", rostertest.Password)
	fmt.Println("the old password:", err)
	ann, err = users.Authenticate(ctx, "ann", "staple battery horse")
	fmt.Println("the new password:", ann.Name, err)
	// Output:
	// <nil>
	// <nil>
	// the old password: authenticate: roster: wrong credentials
	// the new password: ann <nil>
}

func ExampleUsers_Atomic() {
	ctx := context.Background()
	users, _ := newUsers()

	// Both or none.
	team := func(names ...string) error {
		return users.Atomic(ctx, func(ctx context.Context) error {
			for _, name := range names {
				if err := users.Create(ctx, &roster.User{Name: name, ActivatedAt: time.Now()}); err != nil {
					return err
				}
			}
			roster.AfterCommit(ctx, func(context.Context) { fmt.Println("welcome", names) })
			return nil
		})
	}
	fmt.Println(team("ann", "ben"))
	fmt.Println(team("cleo", "ann"))

	n, err := users.Count(ctx, roster.Query{})
	fmt.Println(n, err)
	// Output:
	// welcome [ann ben]
	// <nil>
	// create user: roster: conflict: name
	// 2 <nil>
}

func ExampleUsers_Edit() {
	ctx := context.Background()
	users, mailbox := newUsers()
	ann := mustRegister(users, mailbox, "ann", "Ann Example")

	err := users.Edit(ctx, ann.ID, func(u *roster.User) error {
		u.RealName = "Ann Sample"
		u.Locale = "fr"
		return nil
	})
	if err != nil {
		log.Fatal(err)
	}
	ann, err = users.ByID(ctx, ann.ID)
	fmt.Println(ann.RealName, ann.Locale, err)

	// What has a verb of its own is refused.
	err = users.Edit(ctx, ann.ID, func(u *roster.User) error {
		u.Enabled = false // this is what Disable is for
		return nil
	})
	fmt.Println(err)
	// Output:
	// Ann Sample fr <nil>
	// edit user 1: roster: invalid enabled: read_only
}

func ExampleUsers_Save() {
	ctx := context.Background()
	users, mailbox := newUsers()
	ann := mustRegister(users, mailbox, "ann", "Ann Example")

	// Two forms were opened on the same user. The second one to be sent loses.
	mine, yours := *ann, *ann
	mine.RealName = "Ann Sample"
	fmt.Println(users.Save(ctx, &mine))
	yours.Locale = "fr"
	err := users.Save(ctx, &yours)
	fmt.Println(errors.Is(err, roster.ErrStale))
	// Output:
	// <nil>
	// true
}

func ExampleUsers_Search() {
	ctx := context.Background()
	users, mailbox := newUsers()
	mustRegister(users, mailbox, "ann", "Ann Example")
	mustRegister(users, mailbox, "ben", "Benno Examplar")
	mustRegister(users, mailbox, "cleo", "Cleo Exampleton")
	mustRegister(users, mailbox, "dora", "Dora Other")

	q := roster.Query{Pattern: "EXAMPL", Limit: 2}
	for page := 1; ; page++ {
		p, err := users.Search(ctx, q)
		if err != nil {
			log.Fatal(err)
		}
		for _, u := range p.Items {
			fmt.Println(page, u.Name)
		}
		if p.Next == "" {
			break
		}
		q.Cursor = p.Next // opaque; good in a link to the next page
	}
	// Output:
	// 1 ann
	// 1 ben
	// 2 cleo
}

func ExampleUsers_All() {
	ctx := context.Background()
	users, mailbox := newUsers()
	mustRegister(users, mailbox, "ben", "")
	mustRegister(users, mailbox, "ann", "Ann Example")

	for u, err := range users.All(ctx) {
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(u.DisplayName())
	}
	// Output:
	// Ann Example
	// ben
}

func ExampleUsers_ChangeEmail() {
	ctx := context.Background()
	users, mailbox := newUsers()
	ann := mustRegister(users, mailbox, "ann", "Ann Example")

	show := func() {
		emails, err := users.Emails(ctx, ann.ID)
		if err != nil {
			log.Fatal(err)
		}
		for _, e := range emails {
			fmt.Printf("  %s primary=%t activated=%t\n", e.Address, e.Primary, e.IsActivated())
		}
	}

	if _, err := users.ChangeEmail(ctx, ann.ID, "ann@new.example"); err != nil {
		log.Fatal(err)
	}
	fmt.Println("asked for:")
	show()
	if _, err := users.Activate(ctx, codeTo(mailbox, "ann@new.example")); err != nil {
		log.Fatal(err)
	}
	fmt.Println("proven:")
	show()
	for _, m := range mailbox.To("ann@example.org")[1:] {
		fmt.Println("the old address was told:", m.Kind)
	}
	// Output:
	// asked for:
	//   ann@example.org primary=true activated=true
	//   ann@new.example primary=false activated=false
	// proven:
	//   ann@new.example primary=true activated=true
	//   ann@example.org primary=false activated=true
	// the old address was told: email_changed
}

func ExampleUsers_Delete() {
	ctx := context.Background()
	users, mailbox := newUsers()
	ann := mustRegister(users, mailbox, "ann", "Ann Example")

	if err := users.Delete(ctx, ann.ID); err != nil {
		log.Fatal(err)
	}
	_, err := users.ByName(ctx, "ann")
	fmt.Println("gone:", errors.Is(err, roster.ErrNotFound))

	deleted, err := users.Search(ctx, roster.Query{State: roster.StateDeleted})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("kept:", deleted.Items[0].Name)

	if err := users.Restore(ctx, ann.ID); err != nil {
		log.Fatal(err)
	}
	ann, err = users.ByName(ctx, "ann")
	fmt.Println("back:", ann.Name, err)
	// Output:
	// gone: true
	// kept: ann
	// back: ann <nil>
}

func ExampleUsers_Prune() {
	ctx := context.Background()
	clock := rostertest.NewClock()
	users, err := roster.New(memory.New(), &roster.Options{Hasher: rostertest.Hasher{}, Now: clock.Now})
	if err != nil {
		log.Fatal(err)
	}
	if _, err := users.Register(ctx, roster.NewUser{
		Name: "ann", Email: "ann@example.org", Password: "correct horse battery",
	}); err != nil {
		log.Fatal(err)
	}

	clock.Advance(9 * 24 * time.Hour) // nobody has redeemed the code
	for {
		removed, err := users.Prune(ctx, roster.Budget{Rows: 500})
		if err != nil {
			log.Fatal(err)
		}
		if removed.Total() == 0 {
			break
		}
		fmt.Printf("%d codes, %d users\n", removed.Activations, removed.Users)
	}
	// Output: 1 codes, 1 users
}

func ExampleUsers_Check() {
	ctx := context.Background()
	users, mailbox := newUsers()
	mustRegister(users, mailbox, "ann", "Ann Example")

	problems, err := users.Check(ctx)
	if err != nil {
		log.Fatal(err)
	}
	for _, p := range problems {
		fmt.Println(p)
	}
	fmt.Println(len(problems), "problems")
	// Output: 0 problems
}

func ExampleField() {
	const plan = roster.Field[string]("plan")

	ctx := context.Background()
	users, mailbox := newUsers()
	ann := mustRegister(users, mailbox, "ann", "Ann Example")

	err := users.Edit(ctx, ann.ID, func(u *roster.User) error {
		return plan.Set(u, "pro")
	})
	if err != nil {
		log.Fatal(err)
	}

	ann, err = users.ByName(ctx, "ann")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(plan.Get(ann))
	// Output: pro
}

func ExampleInvalidFields() {
	ctx := context.Background()
	users, _ := newUsers()

	_, err := users.Register(ctx, roster.NewUser{
		Name: "admin", Email: "ann at example.org", Password: "short", Timezone: "Mars/Olympus",
	})
	fmt.Println(errors.Is(err, roster.ErrInvalid))
	for _, e := range roster.InvalidFields(err) {
		fmt.Println(e.Field, e.Reason) // translate these
	}
	// Output:
	// true
	// name reserved
	// email syntax
	// password too_short
	// timezone unknown
}

func ExampleAfterCommit() {
	ctx := context.Background()
	users, _ := newUsers()

	err := users.Atomic(ctx, func(ctx context.Context) error {
		roster.AfterCommit(ctx, func(context.Context) { fmt.Println("2: committed") })
		fmt.Println("1: still inside")
		return nil
	})
	fmt.Println("3:", err)
	// Output:
	// 1: still inside
	// 2: committed
	// 3: <nil>
}
