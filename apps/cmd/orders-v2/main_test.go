package main

import (
	"os/exec"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"orders-v2": main})
}

func TestCommandLine(t *testing.T) {
	testscript.Run(t, testscript.Params{Dir: "testdata"})
}

// A flag could turn a feature of v1 on; code that is not there cannot be.
func TestOnlyThisReleaseContainsLoyaltyPoints(t *testing.T) {
	const feature = "github.com/faultline-lab/faultline/apps/orders/loyalty"
	for command, want := range map[string]bool{"../orders": false, ".": true} {
		output, err := exec.CommandContext(t.Context(), "go", "list", "-deps", command).Output()
		if err != nil {
			t.Fatal(err)
		}
		if got := strings.Contains(string(output), feature+"\n"); got != want {
			t.Errorf("%s contains %s: %v, want %v", command, feature, got, want)
		}
	}
}
