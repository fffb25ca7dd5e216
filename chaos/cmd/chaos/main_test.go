package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/faultline-lab/faultline/chaos/internal/smallshop"
	"github.com/faultline-lab/faultline/chaos/runner"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){
		"chaos": main,
	})
}

func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{Dir: "testdata/script"})
}

// chaos runs one command line against the shop and returns what it printed.
func chaos(t *testing.T, args ...string) (string, error) {
	t.Helper()
	var stdout, stderr bytes.Buffer
	err := run(context.Background(), args, &stdout, &stderr)
	return stdout.String() + stderr.String(), err
}

func TestRunStatusAndStopAgainstAShop(t *testing.T) {
	shop := smallshop.Open(t)
	file := filepath.Join(t.TempDir(), "small-leak.yaml")
	if err := os.WriteFile(file, []byte(shop.Experiment()), 0o600); err != nil {
		t.Fatal(err)
	}
	stack := "--stack-file=" + shop.StackFile

	if out, err := chaos(t, "run", file, stack, "--target=kind"); err == nil || !strings.Contains(err.Error(), "is local, not kind") {
		t.Fatalf("another target: %v\n%s", err, out)
	}
	out, err := chaos(t, "run", file, stack, "--target=local", "--duration=1s", "--keep")
	if err != nil && !strings.Contains(err.Error(), "did not hold") {
		t.Fatalf("run: %v\n%s", err, out)
	}
	for _, want := range []string{"A leak in a small shop", "steady state", "8 of 8 connections", "the fault is kept"} {
		if !strings.Contains(out, want) {
			t.Errorf("run does not say %q:\n%s", want, out)
		}
	}
	if err == nil {
		t.Error("the hypothesis did not hold, and run did not fail")
	}

	out, err = chaos(t, "status", "--json", stack)
	var status []runner.Status
	if err != nil || json.Unmarshal([]byte(out), &status) != nil || len(status) != 1 || status[0].Record.Experiment != "small-leak" {
		t.Errorf("status --json: %v\n%s", err, out)
	}
	if out, err = chaos(t, "status", stack); err != nil || !strings.Contains(out, "chaos stop") {
		t.Errorf("status: %v\n%s", err, out)
	}
	if out, err = chaos(t, "run", file, stack); err == nil || !strings.Contains(err.Error(), "another experiment is active") {
		t.Errorf("a second run: %v\n%s", err, out)
	}
	if out, err = chaos(t, "stop", "lock-contention", stack); err == nil || !strings.Contains(err.Error(), "active: small-leak") {
		t.Errorf("stop of what is not active: %v\n%s", err, out)
	}
	if out, err = chaos(t, "stop", "small-leak", stack); err != nil || !strings.Contains(out, "nothing is left of it") || shop.Leaks() != 0 {
		t.Errorf("stop: %v, %d held\n%s", err, shop.Leaks(), out)
	}
	if out, err = chaos(t, "stop", stack); err != nil || !strings.Contains(out, "no experiment is active") {
		t.Errorf("a second stop: %v\n%s", err, out)
	}
	if out, err = chaos(t, "status", "--json", stack); err != nil || strings.TrimSpace(out) != "[]" {
		t.Errorf("status --json of nothing: %v\n%s", err, out)
	}
}

func TestStopAllForgetDropsTheRecordOfAFaultThatCannotBeTakenAway(t *testing.T) {
	shop := smallshop.Open(t)
	record := filepath.Join(filepath.Dir(shop.StackFile), runner.RecordFolder, "a-run.json")
	if err := errors.Join(os.MkdirAll(filepath.Dir(record), 0o700), os.WriteFile(record, []byte("{"), 0o600)); err != nil {
		t.Fatal(err)
	}
	stack := "--stack-file=" + shop.StackFile
	if _, err := chaos(t, "stop", stack); err == nil || !strings.Contains(err.Error(), "--all") {
		t.Errorf("stop: %v", err)
	}
	if _, err := chaos(t, "stop", "--all", stack); err == nil || !strings.Contains(err.Error(), "--forget") {
		t.Errorf("stop --all: %v", err)
	}
	if _, err := chaos(t, "stop", "--all", "--forget", stack); err == nil || !strings.Contains(err.Error(), "may still be there") {
		t.Errorf("stop --all --forget: %v", err)
	}
	if _, err := os.Stat(record); !os.IsNotExist(err) {
		t.Errorf("the record is still there: %v", err)
	}
}
