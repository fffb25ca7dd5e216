package workloadtest

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/faultline-lab/faultline/autoheal/workload"
)

// Control is all that the healer asks of whoever runs the workloads; package evidence and package remedy say what each
// method must do.
type Control interface {
	Workloads(ctx context.Context) ([]workload.Workload, error)
	Workload(ctx context.Context, name string) (workload.Workload, error)
	Restart(ctx context.Context, name, id, startID string) error
	Scale(ctx context.Context, name string, from, to int, key string) error
	ScaleFor(ctx context.Context, name string, from, to int, lasts time.Duration, key string) (until *time.Time, err error)
	RollBack(ctx context.Context, name, from, to string) error
}

// New brings up a control over two workloads: Name, opted in, with two ready replicas of version v2, which had version
// v1 before; and Other, not opted in, with one. It is gone with the test.
type New func(t *testing.T) Control

// The workloads that New brings up.
const (
	Name  = "orders"
	Other = "inventory"
)

// within bounds every wait; a healthy control takes a fraction of it.
const within = time.Minute

// Run runs the suite.
func Run(t *testing.T, fresh New) {
	for _, test := range []struct {
		name string
		run  func(*testing.T, Control)
	}{
		{"it lists the workloads with what the guards must know", lists},
		{"a workload that is not there is not found", notFound},
		{"a restart ends the old start, and the workload is whole again", restarts},
		{"a restart of another start is a conflict, and does nothing", conflicts},
		{"a restart that is asked for twice happens once", happensOnce},
		{"scaling goes from a number to a number, once", scales},
		{"scaling from another number is a conflict, and does nothing", scaleConflicts},
		{"scaling for a time can be renewed, and says when it ends where somebody else ends it", scalesForATime},
		{"scaling for a time from another number is a conflict, and does nothing", scaleForConflicts},
		{"what was scaled for a time is scaled back for good", scalesBackForGood},
		{"rolling back brings the version that was asked for, once", rollsBack},
		{"rolling back from another version is a conflict, and does nothing", rollBackConflicts},
		{"rolling back to a version that is not there names those that are", rollBackUnknown},
	} {
		t.Run(test.name, func(t *testing.T) { test.run(t, fresh(t)) })
	}
}

func lists(t *testing.T, c Control) {
	all, err := c.Workloads(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]workload.Workload{}
	for _, w := range all {
		found[w.Name] = w
	}
	if found[Name].Labels[workload.OptInLabel] != "enabled" || found[Other].Labels[workload.OptInLabel] == "enabled" {
		t.Errorf("opt-in of %s %v, of %s %v", Name, found[Name].Labels, Other, found[Other].Labels)
	}
	if found[Other].Desired != 1 || len(found[Other].Replicas) != 1 {
		t.Errorf("%s: %+v; want one replica", Other, found[Other])
	}
	one := read(t, c)
	for _, w := range []workload.Workload{found[Name], one} {
		if w.Desired != 2 || w.Version != "v2" || strings.Join(w.Versions, " ") != "v1 v2" || len(w.Replicas) != 2 {
			t.Fatalf("%+v; want two replicas of v2, and v1 to go back to", w)
		}
		for _, r := range w.Replicas {
			if r.ID == "" || r.StartID == "" || r.State != workload.Ready || r.Version != "v2" || r.Address == "" || r.StartedAt.IsZero() {
				t.Errorf("replica %+v; want a ready one of v2 with all that is to be known", r)
			}
		}
	}
	if one.Replicas[0].StartID == one.Replicas[1].StartID {
		t.Errorf("both replicas have the start id %s", one.Replicas[0].StartID)
	}
}

func notFound(t *testing.T, c Control) {
	_, err := c.Workload(t.Context(), "nobody")
	for what, err := range map[string]error{
		"reading":                 err,
		"restarting":              c.Restart(t.Context(), "nobody", "nobody-1", "x"),
		"restarting an unknown":   c.Restart(t.Context(), Name, Name+"-nobody", "x"),
		"restarting another's":    c.Restart(t.Context(), Name, read(t, c, Other).Replicas[0].ID, "x"),
		"scaling":                 c.Scale(t.Context(), "nobody", 1, 2, ""),
		"rolling back":            c.RollBack(t.Context(), "nobody", "v2", "v1"),
		"rolling back to nothing": c.RollBack(t.Context(), Name, "v2", ""),
	} {
		if !errors.Is(err, workload.ErrNotFound) {
			t.Errorf("%s: %v; want ErrNotFound", what, err)
		}
	}
}

func restarts(t *testing.T, c Control) {
	old := read(t, c).Replicas[0]
	if err := c.Restart(t.Context(), Name, old.ID, old.StartID); err != nil {
		t.Fatal(err)
	}
	now := await(t, c, "the old start is gone, and two replicas are ready", func(w workload.Workload) bool {
		return !hasStart(w, old.StartID) && w.Ready() == 2
	})
	if len(now.Replicas) != 2 {
		t.Errorf("%+v; want two replicas", now)
	}
}

func conflicts(t *testing.T, c Control) {
	before := read(t, c)
	if err := c.Restart(t.Context(), Name, before.Replicas[0].ID, "another-start"); !errors.Is(err, workload.ErrConflict) {
		t.Errorf("%v; want ErrConflict", err)
	}
	for _, r := range before.Replicas {
		if now := read(t, c); !hasStart(now, r.StartID) {
			t.Errorf("start %s has gone: %+v", r.StartID, now)
		}
	}
}

func happensOnce(t *testing.T, c Control) {
	before := read(t, c)
	old := before.Replicas[0]
	if err := c.Restart(t.Context(), Name, old.ID, old.StartID); err != nil {
		t.Fatal(err)
	}
	// It may be under way, another start, or gone by now: whichever it is, it is not restarted again.
	again := c.Restart(t.Context(), Name, old.ID, old.StartID)
	if again != nil && !errors.Is(again, workload.ErrConflict) && !errors.Is(again, workload.ErrNotFound) {
		t.Errorf("the second time: %v", again)
	}
	now := await(t, c, "two replicas are ready", func(w workload.Workload) bool {
		return !hasStart(w, old.StartID) && w.Ready() == 2
	})
	again = c.Restart(t.Context(), Name, old.ID, old.StartID)
	if !errors.Is(again, workload.ErrConflict) && !errors.Is(again, workload.ErrNotFound) {
		t.Errorf("after it happened: %v; want a conflict, or not found", again)
	}
	for _, r := range now.Replicas {
		if after := read(t, c); !hasStart(after, r.StartID) {
			t.Errorf("start %s has gone: %+v", r.StartID, after)
		}
	}
	if other := before.Replicas[1]; !hasStart(now, other.StartID) {
		t.Errorf("%s was restarted as well", other.ID)
	}
}

func scales(t *testing.T, c Control) {
	for range 2 { // the second time it is there already
		if err := c.Scale(t.Context(), Name, 2, 3, "i/1/0/orders"); err != nil {
			t.Fatal(err)
		}
	}
	await(t, c, "three replicas are ready", func(w workload.Workload) bool { return w.Desired == 3 && w.Ready() == 3 })
	if err := c.Scale(t.Context(), Name, 3, 1, "i/1/0/orders"); err != nil {
		t.Fatal(err)
	}
	await(t, c, "one replica is left", func(w workload.Workload) bool { return w.Desired == 1 && len(w.Replicas) == 1 })
}

func scaleConflicts(t *testing.T, c Control) {
	if err := c.Scale(t.Context(), Name, 4, 3, "i/1/0/orders"); !errors.Is(err, workload.ErrConflict) {
		t.Errorf("%v; want ErrConflict", err)
	}
	if w := read(t, c); w.Desired != 2 {
		t.Errorf("it wants %d replicas", w.Desired)
	}
}

func scalesForATime(t *testing.T, c Control) {
	for range 2 { // the second time it is renewed
		before := time.Now()
		until, err := c.ScaleFor(t.Context(), Name, 2, 3, within, "i/1/0/orders")
		if err != nil {
			t.Fatal(err)
		}
		if until != nil && (until.Before(before.Add(within)) || until.After(time.Now().Add(within))) {
			t.Errorf("asked for %s at %s, it lasts until %s", within, before, until)
		}
	}
	await(t, c, "three replicas are ready", func(w workload.Workload) bool { return w.Desired == 3 && w.Ready() == 3 })
}

func scaleForConflicts(t *testing.T, c Control) {
	if _, err := c.ScaleFor(t.Context(), Name, 4, 3, within, "i/1/0/orders"); !errors.Is(err, workload.ErrConflict) {
		t.Errorf("%v; want ErrConflict", err)
	}
	if w := read(t, c); w.Desired != 2 {
		t.Errorf("it wants %d replicas", w.Desired)
	}
}

func scalesBackForGood(t *testing.T, c Control) {
	if _, err := c.ScaleFor(t.Context(), Name, 2, 3, within, "i/1/0/orders"); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := c.Scale(t.Context(), Name, 3, 2, "i/1/0/orders"); err != nil {
			t.Fatal(err)
		}
	}
	await(t, c, "two replicas are left", func(w workload.Workload) bool { return w.Desired == 2 && len(w.Replicas) == 2 })
	if _, err := c.ScaleFor(t.Context(), Name, 3, 4, within, "i/1/0/orders"); !errors.Is(err, workload.ErrConflict) {
		t.Errorf("going on from where it was: %v; want ErrConflict", err)
	}
}

func rollsBack(t *testing.T, c Control) {
	for range 2 {
		if err := c.RollBack(t.Context(), Name, "v2", "v1"); err != nil {
			t.Fatal(err)
		}
	}
	now := await(t, c, "both replicas are of v1", func(w workload.Workload) bool {
		for _, r := range w.Replicas {
			if r.Version != "v1" {
				return false
			}
		}
		return w.Version == "v1" && w.Ready() == 2
	})
	if !strings.Contains(strings.Join(now.Versions, " "), "v2") {
		t.Errorf("versions %v; want v2 still there", now.Versions)
	}
}

func rollBackConflicts(t *testing.T, c Control) {
	if err := c.RollBack(t.Context(), Name, "v3", "v1"); !errors.Is(err, workload.ErrConflict) {
		t.Errorf("%v; want ErrConflict", err)
	}
	if w := read(t, c); w.Version != "v2" {
		t.Errorf("it is at %s", w.Version)
	}
}

func rollBackUnknown(t *testing.T, c Control) {
	err := c.RollBack(t.Context(), Name, "v2", "v9")
	if !errors.Is(err, workload.ErrNotFound) || !strings.Contains(err.Error(), "v1, v2") {
		t.Errorf("%v; want ErrNotFound with the versions there are", err)
	}
}

// read reads a workload; Name when none is named.
func read(t *testing.T, c Control, name ...string) workload.Workload {
	t.Helper()
	w, err := c.Workload(t.Context(), append(name, Name)[0])
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func hasStart(w workload.Workload, startID string) bool {
	for _, r := range w.Replicas {
		if r.StartID == startID {
			return true
		}
	}
	return false
}

func await(t *testing.T, c Control, what string, done func(workload.Workload) bool) workload.Workload {
	t.Helper()
	deadline := time.Now().Add(within)
	for {
		now := read(t, c)
		if done(now) {
			return now
		}
		if time.Now().After(deadline) {
			t.Fatalf("not within %s: %s: %+v", within, what, now)
		}
		time.Sleep(20 * time.Millisecond)
	}
}
