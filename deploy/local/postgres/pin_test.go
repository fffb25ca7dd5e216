package postgres

import (
	"os"
	"testing"
)

func TestThePinHasAVersionThatServesAndAKey(t *testing.T) {
	pin, err := Pinned()
	if err != nil && os.Getenv("CI") != "" {
		t.Fatal(err)
	}
	if err != nil {
		t.Skipf("NOT TESTED: %v", err)
	}
	if pin.Version.Major < MinimumMajor || len(pin.Key) != 12 {
		t.Errorf("got %+v", pin)
	}
}
