package studylock

import (
	"strings"
	"testing"
)

func TestASecondStudyIsToldWhoRuns(t *testing.T) {
	root := t.TempDir()
	release, err := Acquire(root, "make demo")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Acquire(root, "make mttr"); err == nil || !strings.Contains(err.Error(), "make demo (pid ") {
		t.Errorf("second lock: %v, want the name of the first holder", err)
	}
	release()
	again, err := Acquire(root, "make mttr")
	if err != nil {
		t.Fatalf("after the release: %v", err)
	}
	again()
}
