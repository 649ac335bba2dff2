package acceptance

import (
	"flag"
	"os"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	if child := os.Getenv(childEnv); child != "" {
		runChild(child)
		return
	}
	flag.Parse()
	for name, value := range map[string]string{"rapid.nofailfile": "true", "rapid.checks": "6", "rapid.steps": "100"} {
		if f := flag.Lookup(name); f != nil && f.Value.String() == f.DefValue {
			_ = f.Value.Set(value)
		}
	}
	goleak.VerifyTestMain(m)
}
