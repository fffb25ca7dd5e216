package supervisor

import (
	"strings"
	"testing"

	"github.com/faultline-lab/faultline/deploy/local/internal/fakeservice"
	"github.com/faultline-lab/faultline/deploy/local/ports"
	"github.com/faultline-lab/faultline/deploy/local/process"
)

func TestNobodyWaitsForAnOptionalPartAndItIsStoppedLikeTheOthers(t *testing.T) {
	set := freePorts(t)
	never := service(t, fakeservice.Options{Listen: set.Address(ports.Grafana), ReadyAfter: bound * 10})
	loki := service(t, fakeservice.Options{Listen: set.Address(ports.Loki)})
	s := started(
		t,
		Part{Name: "grafana", Kind: Stack, Process: &never, Optional: true},
		Part{Name: "loki", Kind: Stack, Process: &loki},
	)
	if missing := s.NotReady(); len(missing) > 0 {
		t.Errorf("the stack is not ready without %v", missing)
	}
	eventually(t, "it runs", func() bool { return s.Processes()[0].State == process.Starting && s.Processes()[0].PID > 0 })
	s.stop()
	if state := s.Processes()[0].State; state != process.Stopped {
		t.Errorf("it is %s", state)
	}
}

func TestAnOptionalPartThatCannotStartIsMentionedAndNoMore(t *testing.T) {
	broken := service(t, fakeservice.Options{Listen: freePorts(t).Address(ports.Grafana), ExitCode: 3})
	record := &history{}
	s := prepared(t, record, Part{Name: "grafana", Kind: Stack, Process: &broken, Optional: true})
	if err := s.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	eventually(t, "it is said to have failed", func() bool {
		record.mu.Lock()
		defer record.mu.Unlock()
		return strings.Join(record.lines, ",") == "grafana failed"
	})
}

func TestAnOptionalPartIsAProcessThatNobodyNeeds(t *testing.T) {
	spec := process.Spec{}
	for name, parts := range map[string][]Part{
		"a task":              {{Name: "files", Task: noTask, Optional: true}},
		"what somebody needs": {{Name: "loki", Process: &spec, Optional: true}, {Name: "files", Task: noTask, Needs: []string{"loki"}}},
	} {
		if err := validateAll(parts); err == nil || !strings.Contains(err.Error(), "optional") {
			t.Errorf("%s: %v", name, err)
		}
	}
}
