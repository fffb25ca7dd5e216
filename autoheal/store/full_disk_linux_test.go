package store_test

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/faultline-lab/faultline/autoheal/incident"
	"github.com/faultline-lab/faultline/autoheal/store"
)

// smallDisk is a file system of its own, of a few hundred kilobytes.
func smallDisk(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=512k"); err != nil {
		t.Skipf("SKIPPED: a disk that is full could not be had, since only root may mount one: %v", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(dir, 0); err != nil {
			t.Error(err)
		}
	})
	return dir
}

// What was kept before the disk was full is still there; what was refused is not there at all, and is taken once there is room.
func TestOnAFullDiskADeliveryIsRefusedWholeAndTakenWhenThereIsRoomAgain(t *testing.T) {
	dir := smallDisk(t)
	s, err := store.Open(t.Context(), store.Config{Path: filepath.Join(dir, "s.db")})
	if err != nil {
		t.Fatal(err)
	}
	delivery := func(name, note string) store.Delivery {
		at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
		return store.Delivery{ReceivedAt: at, Alerts: []incident.Alert{{
			Fingerprint: name, StartsAt: at, Status: "firing", ReceivedAt: at, Annotations: map[string]string{"note": note},
		}}}
	}
	if _, err := s.SaveDelivery(t.Context(), delivery("before", "")); err != nil {
		t.Fatal(err)
	}
	large := delivery("large", strings.Repeat("x", 400<<10))
	filler := filepath.Join(dir, "filler")
	if err := os.WriteFile(filler, make([]byte, 1<<20), 0o600); err == nil {
		t.Fatal("the disk is not full")
	}
	if _, err := s.SaveDelivery(t.Context(), large); err == nil || !strings.Contains(err.Error(), "full") {
		t.Errorf("a delivery on a full disk: %v", err)
	}
	if waiting, err := s.Waiting(t.Context(), 100_000); err != nil || len(waiting) != 1 || waiting[0].Fingerprint != "before" {
		t.Errorf("waiting: %v, %v", waiting, err)
	}
	if err := os.Remove(filler); err != nil {
		t.Fatal(err)
	}
	if _, err := s.SaveDelivery(t.Context(), delivery("after", "")); err != nil {
		t.Errorf("when there is room again: %v", err)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}
