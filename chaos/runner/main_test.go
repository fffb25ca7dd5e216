package runner_test

import (
	"context"
	"fmt"
	"os"
	"testing"

	"github.com/faultline-lab/faultline/chaos/experiment"
	"github.com/faultline-lab/faultline/chaos/runner"
)

// TestMain is also the program that the tests start to be killed: `keep` as the chaos command does it, and `run` for a runner
// in a process of its own.
func TestMain(m *testing.M) {
	if len(os.Args) > 2 {
		var err error
		switch os.Args[1] {
		case "keep":
			fmt.Println(runner.KeeperReady)
			err = runner.Keep(context.Background(), os.Args[2][len("--stack-file="):], os.Args[3], os.Stdin)
		case "run":
			err = runInAProcess(os.Args[2], os.Args[3])
		default:
			os.Exit(m.Run())
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

func runInAProcess(stackFile, file string) error {
	e, err := experiment.Load(file)
	if err != nil {
		return err
	}
	own, err := os.Executable()
	if err != nil {
		return err
	}
	_, err = runner.Run(context.Background(), runner.Options{
		Experiment: e, StackFile: stackFile, Keeper: own,
		OnEvent: func(event runner.Event) { fmt.Printf("%s: %s\n", event.Kind, event.Text) },
	})
	return err
}

func keeperProgram(t *testing.T) string {
	t.Helper()
	own, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return own
}
