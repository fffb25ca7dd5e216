package kube_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/faultline-lab/faultline/autoheal/incident"
	"github.com/faultline-lab/faultline/autoheal/remedy"
)

// note is what a Deployment says of the size that it is to go back to.
func (c *cluster) note() (backTo, until string) {
	c.t.Helper()
	d, err := c.admin.AppsV1().Deployments(c.namespace).Get(c.t.Context(), "orders", metav1.GetOptions{})
	if err != nil {
		c.t.Fatal(err)
	}
	return d.Annotations["faultline.dev/scale-back-to"], d.Annotations["faultline.dev/scale-until"]
}

func TestScalingOutAndRollingBackOnARealServer(t *testing.T) {
	c := ward(t)
	c.release("orders", "v2")
	control := c.control()
	seen := remedy.Sight{Diagnosis: incident.Diagnosis{Workload: "orders"}}
	all, err := remedy.All(remedy.Controls{Replicas: control, Scaler: control, Releases: control, Edge: fakeEdge{}, Sessions: fakeSessions{}, HTTP: http.DefaultClient})
	if err != nil {
		t.Fatal(err)
	}
	done := map[string]remedy.Application{}
	for _, r := range all {
		if r.Name() != remedy.ScaleOutName && r.Name() != remedy.RollBackName {
			continue
		}
		if seen.Workloads, err = control.Workloads(t.Context()); err != nil {
			t.Fatal(err)
		}
		targets, why := r.Targets(seen, nil)
		if len(targets) != 1 {
			t.Fatalf("%s: %+v, %q", r.Name(), targets, why)
		}
		a := remedy.Application{IncidentID: "i", Target: targets[0], IntendedAt: time.Now(), Timeout: time.Minute, TimeToLive: time.Minute}
		if effect := r.Apply(t.Context(), a); effect.Result != incident.ResultDone || effect.Until != nil {
			t.Fatalf("%s: %+v; want it done, and nobody else to take it back", r.Name(), effect)
		}
		done[r.Name()] = a
	}
	backTo, until := c.note()
	if at, err := time.Parse(time.RFC3339, until); backTo != "2" || err != nil || time.Until(at) > time.Minute {
		t.Errorf("it says to go back to %q at %q", backTo, until)
	}
	now := c.workload("orders")
	if now.Desired != 3 || now.Version != "v1" || strings.Join(now.Versions, " ") != "v1 v2" {
		t.Errorf("%+v", now)
	}
	for _, r := range all {
		a, was := done[r.Name()]
		if was && r.Name() == remedy.ScaleOutName {
			if effect := r.(remedy.Undoer).Undo(t.Context(), a); effect.Result != incident.ResultDone {
				t.Errorf("%+v", effect)
			}
		}
		if r.Name() == remedy.RollBackName {
			seen.Workloads = append(seen.Workloads[:0], c.workload("orders"))
			if targets, why := r.Targets(seen, nil); len(targets) > 0 || !strings.Contains(why, "before v1") {
				t.Errorf("after the roll-back it would go on to %+v, %q; want nowhere: v2 is what it left", targets, why)
			}
		}
	}
	if backTo, until = c.note(); c.workload("orders").Desired != 2 || backTo != "" || until != "" {
		t.Errorf("taken back, it has %d replicas and says to go back to %q at %q", c.workload("orders").Desired, backTo, until)
	}
}
