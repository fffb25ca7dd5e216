package harm

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/faultline-lab/faultline/autoheal/guard"
	"github.com/faultline-lab/faultline/autoheal/incident"
	"github.com/faultline-lab/faultline/chaos/control"
	"github.com/faultline-lab/faultline/chaos/experiment"
	"github.com/faultline-lab/faultline/chaos/experiments"
	"github.com/faultline-lab/faultline/e2e/internal/ward"
	"github.com/faultline-lab/faultline/e2e/trial"
)

// window is how long a fault may live at most: all of its harmful remedies are asked for in it.
const window = 2 * time.Minute

// Every fault once on the real stack, and in it every remedy that would make it worse.
func TestWhatWouldDoHarmIsRefusedWithItsReasonAndNothingIsDone(t *testing.T) {
	all, err := experiments.All()
	if err != nil {
		t.Fatal(err)
	}
	book := filepath.Join(t.TempDir(), "playbook.yaml")
	if err := os.WriteFile(book, []byte(playbook("restart-replicas", "connection-leak")), 0o600); err != nil {
		t.Fatal(err)
	}
	w := ward.Open(t, "5000", "--playbook="+book)
	for _, e := range all {
		if e.Expect.Cause != "" {
			t.Run(e.Name, func(t *testing.T) { (&ordeal{w, book, e}).run(t) })
		}
	}
}

// ordeal is one fault in which harmful remedies are asked for.
type ordeal struct {
	ward     *ward.Ward
	playbook string
	e        experiment.Experiment
}

func (c *ordeal) run(t *testing.T) {
	if err := trial.ScaleHealer(t.Context(), c.ward.Control, 0); err != nil {
		t.Fatal(err)
	}
	c.ward.Inject(t, c.e.Name, 1, window)
	var pages []ward.Alert
	c.ward.Await(t, "the alert", time.Minute, func() error {
		var err error
		if pages, err = c.ward.Pages(t.Context()); err == nil && len(pages) == 0 {
			err = errors.New("no alert fires")
		}
		return err
	})
	before := c.world(t)
	for _, remedy := range c.e.Expect.Harmful {
		t.Run(remedy, func(t *testing.T) { c.refused(t, remedy, pages) })
	}
	if after := c.world(t); after != before {
		t.Errorf("something was done: the workloads were\n%s\nand are\n%s", before, after)
	}
}

// refused gives a fresh healer the playbook that asks for the remedy, and the alerts that fire.
func (c *ordeal) refused(t *testing.T, remedy string, pages []ward.Alert) {
	if err := os.WriteFile(c.playbook, []byte(playbook(remedy, c.e.Expect.Cause)), 0o600); err != nil {
		t.Fatal(err)
	}
	c.ward.Fresh(t)
	c.ward.MustPost(t, pages...)
	var verdict incident.Verdict
	var id string
	c.ward.Await(t, "the refusal", 30*time.Second, func() error {
		all, err := c.ward.Incidents(t.Context())
		if err != nil {
			return err
		}
		said := "no incident"
		for _, one := range all {
			said = fmt.Sprintf("%s: %s", one.State, one.Reason)
			for _, v := range one.Verdicts {
				if v.Guard == "harm-list" && v.Remedy == remedy && !v.Allowed {
					verdict, id = v, one.ID
					return nil
				}
			}
		}
		return errors.New(said)
	})
	t.Logf("%s for %s: %s", remedy, c.e.Expect.Cause, verdict.Reason)
	why := guard.Harmful(incident.Cause(c.e.Expect.Cause), remedy)
	if why == "" || !strings.Contains(verdict.Reason, why) {
		t.Errorf("the reason is %q, want the harm list's: %q", verdict.Reason, why)
	}
	c.inTheAudit(t, id, why)
	for _, one := range c.ward.AwaitEnd(t) {
		for _, action := range one.Actions {
			if action.Result != incident.ResultSkipped {
				t.Errorf("%s was done to %s all the same", action.Remedy, action.Target)
			}
		}
	}
}

func (c *ordeal) inTheAudit(t *testing.T, id, why string) {
	t.Helper()
	entries, err := c.ward.Audit(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		if entry.Kind == "verdict" && strings.Contains(entry.Text, "harm-list") && strings.Contains(entry.Text, why) {
			return
		}
	}
	t.Errorf("the audit of %s does not hold the refusal", id)
}

// world is what remedies could have changed, as the supervisor has it.
func (c *ordeal) world(t *testing.T) string {
	t.Helper()
	var out strings.Builder
	for _, name := range []string{"orders", "inventory", "payments", "storefront"} {
		workload, err := c.ward.Control.Workload(t.Context(), name)
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&out, "%s %s x %d:", name, workload.Version, workload.Desired)
		for _, replica := range workload.Replicas {
			if replica.State == control.Ready {
				fmt.Fprintf(&out, " %s=%s", replica.ID, replica.StartID)
			}
		}
		out.WriteByte('\n')
	}
	return out.String()
}
