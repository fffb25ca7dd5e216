package cputime_test

import (
	"os"
	"testing"
	"testing/fstest"
	"time"

	"github.com/faultline-lab/faultline/e2e/bench/cputime"
)

// A server with two backends, one of which has a strange name, and a process of somebody else.
func machine() fstest.MapFS {
	return fstest.MapFS{
		"100/stat":   {Data: []byte("100 (postgres) S 1 100 100 0 -1 4194560 900 800 0 0 10 20 300 400 20 0 1 0 5000 1 1")},
		"101/stat":   {Data: []byte("101 (postgres: a) b) ) S 100 101 101 0 -1 64 9 8 0 0 7 3 0 0 20 0 1 0 5001 1 1")},
		"102/stat":   {Data: []byte("102 (worker) R 101 101 101 0 -1 64 9 8 0 0 1 1 0 0 20 0 1 0 5002 1 1")},
		"200/stat":   {Data: []byte("200 (other) S 1 200 200 0 -1 64 9 8 0 0 999 999 999 999 20 0 1 0 5003 1 1")},
		"self/stat":  {Data: []byte("not read")},
		"300/status": {Data: []byte("a process that went away between two reads")},
	}
}

func TestAFamilyIsTheProcessItsDescendantsAndWhatOfThemHasEnded(t *testing.T) {
	table, err := cputime.ReadFrom(machine())
	if err != nil {
		t.Fatal(err)
	}
	got, found := table.Family(100)
	if want := (10 + 20 + 300 + 400 + 7 + 3 + 1 + 1) * 10 * time.Millisecond; !found || got != want {
		t.Errorf("%s %v, want %s", got, found, want)
	}
	if _, found := table.Family(300); found {
		t.Error("a process that is not there was found")
	}
}

func TestAProcessThatEndedOrWasReplacedIsAnErrorAndNotANumber(t *testing.T) {
	before, err := cputime.ReadFrom(machine())
	if err != nil {
		t.Fatal(err)
	}
	gone, replaced := machine(), machine()
	delete(gone, "100/stat")
	replaced["100/stat"] = &fstest.MapFile{Data: []byte("100 (new) S 1 1 1 0 -1 64 9 8 0 0 1 1 0 0 20 0 1 0 7777 1 1")}
	for name, system := range map[string]fstest.MapFS{"ended": gone, "replaced": replaced} {
		after, err := cputime.ReadFrom(system)
		if err != nil {
			t.Fatal(err)
		}
		if used, err := cputime.Between(before, after, 100); err == nil {
			t.Errorf("%s: %s", name, used)
		}
	}
}

func TestARowThatCannotBeReadIsSaid(t *testing.T) {
	if _, err := cputime.ReadFrom(fstest.MapFS{"1/stat": {Data: []byte("1 (x) S 0 1")}}); err == nil {
		t.Error("a row of three fields was read")
	}
}

func TestOurOwnTimeGrowsAsWeWork(t *testing.T) {
	before, err := cputime.Read()
	if err != nil {
		t.Fatal(err)
	}
	// Half of what one busy thread uses would do; the wait is for the condition, not for a time.
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); {
		for sum, i := 0, 0; i < 10_000_000; i++ {
			sum += i
		}
		after, err := cputime.Read()
		if err != nil {
			t.Fatal(err)
		}
		used, err := cputime.Between(before, after, os.Getpid())
		if err != nil {
			t.Fatal(err)
		}
		if used >= 30*time.Millisecond {
			return
		}
	}
	t.Error("a minute of work took no processor time")
}
