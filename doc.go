// Package roster keeps the accounts of a Go program: people, their e-mail
// addresses, activation and passwords, on PostgreSQL, SQLite or memory. It is a
// library and no server: it has the rules and the tables, the program has the
// pages, the cookies and the mail server.
//
// # Opening
//
// Open a store, then make a [Users] on it with [New]. Users has all the verbs.
// One is enough for a program; it is safe for concurrent use.
//
//	store, err := sqlite.Open(ctx, "app.db")
//	if err != nil {
//		return err
//	}
//	defer store.Close()
//	users, err := roster.New(store, &roster.Options{
//		Mailer:        mailer,
//		ActivationURL: "https://app.example.org/activate#{code}",
//		ResetURL:      "https://app.example.org/reset#{code}",
//		UndoURL:       "https://app.example.org/undo#{code}",
//	})
//
// The stores are store/memory (for tests), store/sqlite (one machine) and
// store/postgres (many). All three keep the same promises, see [Store]. Options
// may be nil: every field of [Options] says what its zero means. What the mailer is
// stands below, under Mail.
//
// # Registering, activating, signing in
//
// [Users.Register] takes what a person typed into a sign-up form. It writes the
// user, the password and the address, and hands a [Mail] with a code to
// [Options].Mailer, all in one transaction.
//
//	ann, err := users.Register(ctx, roster.NewUser{
//		Name: "ann", Email: "ann@example.org", Password: password, Locale: "de",
//	})
//
// The account is pending now. The link in the mail leads to a page of the
// program, which must only look: mail scanners open links, too. [Users.Peek]
// looks. The button on that page redeems the code by
// [Users.ActivateWithPassword], once, with the password that is to be good from
// then on: whoever had signed up, it is who reads the mail that gets the account.
//
//	peeked, err := users.Peek(ctx, code)                        // for the page
//	ann, err = users.ActivateWithPassword(ctx, code, password)  // for its button
//
// From then on [Users.Authenticate] signs the person in, by name or by any
// activated address. [WithClient] tells it where the request came from.
//
//	ctx = roster.WithClient(ctx, roster.Client{Addr: addr, TLS: true})
//	ann, err = users.Authenticate(ctx, "ann@example.org", password)
//
// Who fails too often, or asks for too many mails, gets a [ThrottledError], which
// says how long to wait. It is counted by the client's address and the name that
// was typed, so that nobody can keep the owner of an account out: see [Limits]. A
// program behind a proxy has to pass the address that the proxy tells it.
//
// Who has forgotten the password asks for a code by [Users.RequestPasswordReset],
// which never says whether there is such an account, and redeems it by
// [Users.ResetPassword].
//
//	err = users.RequestPasswordReset(ctx, "ann@example.org")
//	ann, err = users.ResetPassword(ctx, code, password)
//
// The mail that tells of a new password or primary address has a code, too, for a
// week. By [Users.UndoChange] it gives the account back to the mailbox that spoke
// for it before, whatever somebody has done with it meanwhile; by
// [Users.AcceptChange] its owner says that all is well. The page of
// Options.UndoURL has a button for each.
//
//	ann, err = users.UndoChange(ctx, code, password)
//	err = users.AcceptChange(ctx, code)
//
// [Users.Create] adds a user on the program's own authority, without password,
// address or mail; [Users.SetPassword], [Users.AddActivatedEmail] and
// [Users.ActivateUser] add what is wanted of these.
//
// # Users of another system
//
// Create, AddActivatedEmail, [password.Import] and [Users.ImportPassword] bring a
// user over, who signs in with the old password. One transaction for each leaves
// nobody half done.
//
//	err := users.Atomic(ctx, func(ctx context.Context) error {
//		u := &roster.User{Name: old.Name, ActivatedAt: old.Since}
//		if err := users.Create(ctx, u); err != nil {
//			return err
//		}
//		if _, err := users.AddActivatedEmail(ctx, u.ID, old.Email); err != nil {
//			return err
//		}
//		hash, err := password.Import(password.Django, old.Hash)
//		if err != nil {
//			return err
//		}
//		return users.ImportPassword(ctx, u.ID, hash)
//	})
//
// It may be run again: who is there already is a [ConflictError] of [FieldName],
// to be skipped. One of [FieldEmail] is an address that two of them have. A bare
// bcrypt hash ($2a$, $2b$ or $2y$) is of [password.Crypt]. ActivatedAt and UUID are
// kept as they are given; CreatedAt and LastLoginAt are roster's own, and
// PasswordChangedAt is zero. [Users.WrapPasswords] makes weak hashes strong at once.
//
// # Signing in elsewhere
//
// [Users.SignInWith] takes an [Identity]: what a provider, Google say, has told the
// program of somebody, as package socials reads it. It is matched by provider and
// subject, and by an address only where the provider vouches for it and somebody has
// activated it here; else it becomes a new account. [Users.LinkIdentity] and
// [Users.UnlinkIdentity] are for the page of one's account.
//
// [Options].Directories names directories, such as those of package ldapauth, that
// keep the passwords of their people. Authenticate and SignIn ask them for whoever is
// unknown here, make the account at the first sign-in, and bring it up to date at every
// later one. [Users.PlanSync] and [Users.ApplySync] do so for all, and disable who has
// left. docs/identities.md tells the whole story.
//
// # Sessions
//
// [Users.SignIn] is Authenticate and the start of a session. The token that it
// returns goes into a cookie, best by package sessioncookie, and every request
// asks [Users.Session] who is signed in by it.
//
//	session, token, err := users.SignIn(ctx, "ann@example.org", password)
//	session, err = users.Session(ctx, cookie)  // session.User is ann
//
// A session ends after Options.SessionTTL, or when it was not in use for
// Options.SessionIdle. A new password, a new primary address, [Users.Disable] and
// their like end all sessions of the user at once; [Users.ChangePasswordIn] keeps
// the one that it is called from. [Users.Sessions] lists them, and
// [Users.EndSession], [Users.EndOtherSessions], [Users.EndSessions] and
// [Users.SignOut] end them.
//
// Ask [Users.RequireFresh] before whatever could take an account over. It wants
// the password to have been typed within Options.FreshFor; [Users.Reauthenticate]
// asks for it again. [Users.Impersonate] lets those act as a user who hold
// [PermImpersonate], or whom Options.MayImpersonate allows to; RequireFresh
// refuses them. A verb that takes an ID cannot know how fresh its caller is, so
// this question is the program's to ask.
//
// # Acting for somebody
//
// What [New] returns is the program itself, and may everything. [Users.For]
// returns the same for an [Actor], by [Session.Actor] say: every verb asks first,
// in its transaction, by the one table that [Operations] returns. Own accounts need
// no permission for what is harmless, privileged targets take a stronger one,
// nobody passes on what they do not hold, and who may not do a thing to anybody is
// not told whether there is such a user. Whoever asks, the last administrator, a
// member of [GroupAdmin] who can sign in, stays: [ErrLastAdmin].
//
//	hers := users.For(roster.Actor{User: ann.ID, Level: roster.LevelAdmin})
//	err := hers.Disable(ctx, ben.ID) // ErrForbidden, unless she may
//
// # Mail
//
// roster decides that a mail is due, and what it carries. A [Mailer] writes and
// sends it. Send is called inside the transaction, which may still fail or run
// again, so it must not send at once: it waits for the commit.
//
//	mailer := roster.MailerFunc(func(ctx context.Context, m roster.Mail) error {
//		roster.AfterCommit(ctx, func(ctx context.Context) { deliver(ctx, m) })
//		return nil
//	})
//
// Package mailer has such Mailers: they compose each kind of mail as text and
// HTML, in 17 languages, and a program can put its own words and templates in
// their place. A program that people use takes an Outbox, which keeps each mail in
// the store, beside its cause, until a server has taken it. The program runs it.
//
//	compose, err := mailer.New(mailer.Options{From: "Example <accounts@example.org>"})
//	if err != nil {
//		return err
//	}
//	server, err := mailer.NewSMTP("mail.example.org", &mailer.SMTPOptions{Username: "app", Password: secret})
//	if err != nil {
//		return err
//	}
//	outbox, err := mailer.NewOutbox(store, compose, server, &mailer.OutboxOptions{Key: key}) // a Secret of 32 random bytes
//	if err != nil {
//		return err
//	}
//	go outbox.Run(ctx) // and outbox is Options.Mailer
//
// While a program is being written a Printer shows the mails in the terminal.
// Package mailer/mailertest keeps them for a test to read, and opens their links as
// mail scanners do. The language is that of [User.Locale]; see [NewUser] for how to
// take it from a browser.
//
// [Mail.Code] and [Mail.Link] are of type [Secret], which prints as
// "[redacted]". [Secret.Reveal] gives the text.
//
// # Transactions
//
// A verb that writes is a transaction. [Users.Atomic] makes one of several: the
// transaction travels in the context that it hands to its function, and every
// verb that is called with that context joins it.
//
//	err := users.Atomic(ctx, func(ctx context.Context) error {
//		if err := users.Create(ctx, ben); err != nil {
//			return err
//		}
//		return users.SetPassword(ctx, ben.ID, password)
//	})
//
// Three rules. Use the inner context for everything inside: a verb that is
// called with the outer one is not part of the transaction, and cannot write
// what the transaction has locked. Return the error of a verb that failed: if it
// had begun to write (a [ConflictError] says so), nothing of the transaction can
// be kept after it, see [Store]. And change
// nothing else in the function: the store may have to run it again, so a mail,
// a message to another program or a counter waits in [AfterCommit].
//
// # Errors
//
// Branch with [errors.Is] on the errors that a method's comment names, such as
// [ErrNotFound], [ErrCredentials] or [ErrActivation]. The list is in errors.go.
//
//	switch {
//	case errors.Is(err, roster.ErrNotActivated):
//		// the password was right; offer ResendActivation
//	case errors.Is(err, roster.ErrCredentials):
//		// one answer to whatever is wrong
//	case errors.Is(err, roster.ErrThrottled):
//		// a ThrottledError says how long
//	}
//
// What was wrong with a form comes as data, all fields at once. [InvalidFields]
// lists every [InvalidError]; a [ConflictError] names the field whose value is
// taken. Fields and reasons are constants, for the program to translate.
//
//	for _, e := range roster.InvalidFields(err) {
//		form.Mark(e.Field, string(e.Reason))
//	}
//	var conflict *roster.ConflictError
//	if errors.As(err, &conflict) {
//		form.Mark(conflict.Field, "taken")
//	}
//
// No error text holds a password, a code, a hash, an e-mail address or a name.
//
// # Editing
//
// [Users.Edit] reads a user, lets a function change it, and writes it, in one
// transaction. [Users.Save] writes a user that was read before, if nobody has
// written it since; otherwise it returns [ErrStale].
//
//	err := users.Edit(ctx, ann.ID, func(u *roster.User) error {
//		u.RealName = "Ann Example"
//		return plan.Set(u, "pro")
//	})
//
// Here plan is a [Field], the typed key of a value in [User.Data], for what
// needs no column:
//
//	const plan = roster.Field[string]("plan")
//
// What has a verb of its own cannot be edited: Enabled, for instance, is for
// [Users.Disable] and [Users.Enable]. Time zones are those that the machine
// knows; a program that imports time/tzdata knows them all.
//
// # Finding
//
// [Users.ByName], [Users.ByEmail], [Users.ByAddress], [Users.ByID] and
// [Users.ByUUID] find one user. Names and addresses are compared by their
// canonical forms, [NameKey] and [AddressKey], so any spelling finds the user.
// Only activated addresses find anybody.
//
// [Users.Search] finds text in the names and real names and returns a [Page]
// at a time; [Page.Next] is the cursor of the next one. [Users.Count] counts.
// [Users.All] and [Users.Each] loop over the pages.
//
//	for u, err := range users.All(ctx) {
//		if err != nil {
//			return err
//		}
//		fmt.Println(u.DisplayName())
//	}
//
// The look-ups find everybody who is not deleted, pending and disabled users
// too. The lists have the active ones, unless [Query.State] asks for others: it
// is also the way to find deleted ones.
//
// # Addresses
//
// A user has any number of addresses. Each is pending until its code is
// redeemed, and activated from then on. One is the primary, where mail to the
// user goes. Anybody may claim an address, and a claim keeps nobody else from
// it: who proves it first has it, and the other claims are worth nothing.
//
// [Users.AddEmail] adds a pending address and sends a code. [Users.ChangeEmail]
// does too, and the address becomes the primary one when the code is redeemed;
// the old one is told and stays until [Users.RemoveEmail]. The address of a row
// never changes. [Users.ResendActivation] sends another code to a pending one.
//
// Register, AddEmail and ChangeEmail do not say that somebody else has
// activated the address: the answer is the same as always, and the owner gets a
// mail. Options.TellTakenAddress changes that.
//
// # Disabling, deleting, restoring
//
// [Users.Disable] keeps a user from signing in. [Users.Delete] hides it:
// nothing finds it any more, its addresses are free at once and its name after
// Options.NameHold, but the row stays. [Users.Restore] undoes that, unless
// somebody has taken the name or an address meanwhile. [Users.Purge] removes
// the row and all that belongs to it, for good.
//
// # Housekeeping
//
// roster starts no goroutine. Call [Users.Prune] now and then: it removes codes
// that expired, those of notices too, addresses and accounts that nobody proved,
// names that were held back long enough, mails of the outbox that are done with,
// counts of failures and mails that are over, and sessions that expired, a bounded
// number at a time. Nothing depends on it, since what has expired is dead before
// it is removed.
//
//	for {
//		removed, err := users.Prune(ctx, roster.Budget{Rows: 1000})
//		if err != nil {
//			return err
//		}
//		if removed.Total() == 0 {
//			break
//		}
//	}
//
// [Users.Check] reads a whole database, page by page, and lists what is wrong.
//
// # A user type of the program's own
//
// A struct that embeds [User] is a [Model], and verbs such as [Users.Create]
// and [Users.Save] take one, if the store was opened for it: its other fields are
// columns of the same table, read and written in the same statements. [As] finds
// the way back from a User to the struct that it was read as part of.
//
//	type Subscriber struct {
//		roster.User
//		Plan string `bun:"plan,notnull,default:'free'"`
//	}
//
//	store, err := sqlite.Open(ctx, "app.db", sqlite.Model[Subscriber]())
//	users, err := roster.New(store, nil)
//	ann, err := users.ByName(ctx, "ann")
//	if m, ok := roster.As[*Subscriber](ann); ok {
//		m.Plan = "pro"
//		err = users.Save(ctx, m)
//	}
//
// A person who signs up becomes NewUser.Model, or what Options.NewModel makes.
// Groups are extended in the same way, see [GroupModel] and [AsGroup].
// What needs no column goes into [User.Data].
//
// # Testing
//
// Package rostertest has the real accounts in memory, with an instant hasher, a
// mailbox that keeps what was sent and a clock that stands still:
//
//	env := rostertest.New(t)
//	ann := env.MustUser(t, func(u *roster.User) { u.Name = "ann" })
//	env.Clock.Advance(48 * time.Hour)
//
// Package rostertest/dbtest gives a test a database of its own, where there is one.
// A test of passwords from another system sets the real hasher, since that of
// rostertest reads none of theirs: o.Hasher = password.Hasher{}.
//
// Package store/storetest holds a store of your own to the promises.
package roster
