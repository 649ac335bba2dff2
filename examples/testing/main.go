// Testing is a small service, and above all its tests, to copy from: each test
// has accounts of its own by package rostertest, mail is read where it lands,
// time is moved, and the same tests run on the database of production.
//
//	go test ./examples/testing
//	ROSTER_TEST_SQLITE=/tmp go test ./examples/testing
//	go run ./examples/testing
//
// service.go is the code under test, service_test.go is what there is to learn
// from.
package main

import (
	"context"
	"log"
	"net/http"
	"os"
	"time"

	"github.com/go-roster/roster"
	"github.com/go-roster/roster/mailer"
	"github.com/go-roster/roster/store/sqlite"
)

func main() {
	if err := run(context.Background()); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context) error {
	store, err := sqlite.Open(ctx, "testing.db")
	if err != nil {
		return err
	}
	defer store.Close()
	composer, err := mailer.New(mailer.Options{From: "Example <accounts@example.org>"})
	if err != nil {
		return err
	}
	users, err := roster.New(store, &roster.Options{Mailer: &mailer.Printer{Composer: composer, Out: os.Stdout}})
	if err != nil {
		return err
	}
	server := &http.Server{Addr: "localhost:8080", Handler: newService(users), ReadTimeout: 10 * time.Second}
	log.Println("listening on", server.Addr)
	return server.ListenAndServe()
}
