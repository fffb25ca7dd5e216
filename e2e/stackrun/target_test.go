package stackrun_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/faultline-lab/faultline/e2e/stackrun"
	"github.com/faultline-lab/faultline/observability/endpoints"
)

// checkout is a folder with a stack command that answers `kind possible` as the script says; none for no command.
func checkout(t *testing.T, script string) string {
	t.Helper()
	root := t.TempDir()
	bin := filepath.Join(root, ".faultline", "bin")
	if err := os.MkdirAll(bin, 0o755); err != nil {
		t.Fatal(err)
	}
	if script != "" {
		if err := os.WriteFile(filepath.Join(bin, "stack"), []byte("#!/bin/sh\n"+script+"\n"), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return root
}

func TestAutoTakesKindWhereItIsPossibleAndSaysWhyNot(t *testing.T) {
	for name, tt := range map[string]struct {
		script, asked string
		target, why   string
		err           string
	}{
		"what is asked for is not questioned": {"exit 1", "kind", endpoints.Kind, "as asked", ""},
		"kind where it is possible":           {`[ "$2 $3" = "kind possible" ] && echo "the node image is there"`, "auto", endpoints.Kind, "the node image is there", ""},
		"local where it is not, with the reason": {
			`echo "stack: no Docker engine answers" >&2; exit 1`, "auto", endpoints.Local, "no Docker engine answers", "",
		},
		"a command that breaks is no answer": {"exit 3", "auto", "", "", "give --target"},
		"nor is one that is not there":       {"", "auto", "", "", "make build"},
	} {
		t.Run(name, func(t *testing.T) {
			target, why, err := stackrun.Choose(t.Context(), checkout(t, tt.script), tt.asked)
			if tt.err != "" {
				if err == nil || !strings.Contains(err.Error(), tt.err) {
					t.Errorf("%q, %q, %v, want an error with %q", target, why, err, tt.err)
				}
				return
			}
			if err != nil || target != tt.target || !strings.Contains(why, tt.why) {
				t.Errorf("%q because %q, %v; want %q because %q", target, why, err, tt.target, tt.why)
			}
		})
	}
}

func TestAutoStaysWithTheStackThatTheCheckoutHas(t *testing.T) {
	for name, tt := range map[string]struct {
		stack endpoints.Stack
		want  string
	}{
		"a kind cluster":                  {endpoints.Stack{Target: endpoints.Kind}, endpoints.Kind},
		"a local stack that runs no more": {endpoints.Stack{Target: endpoints.Local, PID: 1 << 30, StartedAt: time.Now()}, endpoints.Local},
	} {
		t.Run(name, func(t *testing.T) {
			root := checkout(t, `echo "impossible" >&2; exit 1`)
			file := filepath.Join(root, endpoints.DefaultFile)
			if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := endpoints.Write(file, tt.stack); err != nil {
				t.Fatal(err)
			}
			target, why, err := stackrun.Choose(t.Context(), root, stackrun.Auto)
			if err != nil || target != tt.want {
				t.Errorf("%q because %q, %v; want %q", target, why, err, tt.want)
			}
			if kept := strings.Contains(why, "checkout"); kept != (tt.want == endpoints.Kind) {
				t.Errorf("the reason is %q", why)
			}
		})
	}
}
