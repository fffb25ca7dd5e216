package supervisor

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/faultline-lab/faultline/deploy/local/hostproc"
	"github.com/faultline-lab/faultline/deploy/local/process"
)

// The JSON forms of docs/contracts.md, "The supervisor's control API".
type (
	// WorkloadView is one workload.
	WorkloadView struct {
		Name    string            `json:"name"`
		Labels  map[string]string `json:"labels"`
		Desired int               `json:"desired"`
		// Until is when Desired becomes BackTo by itself; absent when it stays.
		Until    *time.Time    `json:"desired_until,omitempty"`
		BackTo   *int          `json:"back_to,omitempty"`
		Max      int           `json:"max"`
		Version  string        `json:"version"`
		Versions []string      `json:"versions"`
		Replicas []ReplicaView `json:"replicas"`
	}
	// ReplicaView is one replica of a workload.
	ReplicaView struct {
		ID        string        `json:"id"`
		StartID   string        `json:"start_id"`
		State     process.State `json:"state"`
		Version   string        `json:"version"`
		Address   string        `json:"address"`
		PID       int           `json:"pid"`
		StartedAt *time.Time    `json:"started_at"`
		ReadyAt   *time.Time    `json:"ready_at"`
		Restarts  int           `json:"restarts"`
	}
	// TargetGroup is one entry of Prometheus' http_sd.
	TargetGroup struct {
		Targets []string          `json:"targets"`
		Labels  map[string]string `json:"labels"`
	}
	// ProcessView is one process of the stack.
	ProcessView struct {
		Name     string        `json:"name"`
		PID      int           `json:"pid"`
		Kind     Kind          `json:"kind"`
		State    process.State `json:"state"`
		Restarts int           `json:"restarts"`
		Log      string        `json:"log"`
	}
	// MemoryView is what one process and its descendants have in memory.
	MemoryView struct {
		Name     string `json:"name"`
		PID      int    `json:"pid"`
		PSSBytes int64  `json:"pss_bytes"`
	}
)

// Workloads returns every workload, by name.
func (s *Supervisor) Workloads() []WorkloadView {
	views := make([]WorkloadView, 0, len(s.workloads))
	for _, name := range slices.Sorted(maps.Keys(s.workloads)) {
		views = append(views, s.workloads[name].view())
	}
	return views
}

// Workload returns one workload, or ErrNotFound.
func (s *Supervisor) Workload(name string) (WorkloadView, error) {
	w, err := s.find(name)
	if err != nil {
		return WorkloadView{}, err
	}
	return w.view(), nil
}

func (w *workload) view() WorkloadView {
	w.mu.Lock()
	defer w.mu.Unlock()
	view := WorkloadView{
		Name: w.name, Labels: w.def.Labels, Desired: w.wanted.replicas, Max: w.def.Max, Version: w.wanted.version,
		Versions: slices.Sorted(maps.Keys(w.def.Versions)), Replicas: []ReplicaView{},
	}
	if w.lapse != nil {
		view.Until, view.BackTo = instant(w.lapse.until), new(w.lapse.backTo)
	}
	if view.Labels == nil {
		view.Labels = map[string]string{}
	}
	for _, r := range w.replicas {
		status := r.process.Status()
		view.Replicas = append(view.Replicas, ReplicaView{
			ID: r.id, StartID: status.StartID, State: status.State, Version: r.version,
			Address: w.def.Address(r.ordinal), PID: status.PID,
			StartedAt: instant(status.StartedAt), ReadyAt: instant(status.ReadyAt), Restarts: status.Restarts,
		})
	}
	return view
}

// instant is nil for a time that has not come.
func instant(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = t.UTC()
	return &t
}

// Discovery returns the replicas as scrape targets: of one workload or job, or of all when job is empty; all that are not
// stopped, or only those that are ready.
func (s *Supervisor) Discovery(job string, onlyReady bool) []TargetGroup {
	groups := []TargetGroup{}
	for _, w := range s.Workloads() {
		def := s.workloads[w.Name].def
		if job != "" && job != w.Name && job != def.Job {
			continue
		}
		for _, r := range w.Replicas {
			if r.State == process.Stopped || (onlyReady && r.State != process.Ready) {
				continue
			}
			groups = append(groups, TargetGroup{
				Targets: []string{r.Address},
				Labels:  def.seriesLabels(w.Name, r),
			})
		}
	}
	return groups
}

// seriesLabels are those of all series of a replica.
func (w Workload) seriesLabels(name string, r ReplicaView) map[string]string {
	labels := map[string]string{"job": cmp.Or(w.Job, name), "instance": r.ID, "version": r.Version}
	if w.Group != "" {
		labels["group"] = w.Group
	}
	return labels
}

// Processes returns every process, in the order in which the parts were given.
func (s *Supervisor) Processes() []ProcessView {
	views := []ProcessView{}
	add := func(kind Kind, p *process.Process) {
		status := p.Status()
		views = append(views, ProcessView{
			Name: p.Name(), PID: status.PID, Kind: kind, State: status.State, Restarts: status.Restarts, Log: p.LogFile(),
		})
	}
	for _, part := range s.cfg.Parts {
		if p, ok := s.processes[part.Name]; ok {
			add(part.Kind, p)
		}
		if w, ok := s.workloads[part.Name]; ok {
			for _, r := range w.list() {
				add(part.Kind, r.process)
			}
		}
	}
	return views
}

// Memory returns the proportional set size of every process that runs, what descends from it included. Where the
// operating system does not tell, the error is hostproc.ErrUnsupported.
func (s *Supervisor) Memory() ([]MemoryView, error) {
	views := []MemoryView{}
	for _, p := range s.Processes() {
		if p.PID == 0 {
			continue
		}
		pss, err := hostproc.FamilyMemory(p.PID)
		if errors.Is(err, hostproc.ErrGone) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("memory of %s: %w", p.Name, err)
		}
		views = append(views, MemoryView{Name: p.Name, PID: p.PID, PSSBytes: pss})
	}
	return views, nil
}

// NotReady returns the names of all that was asked for and is not ready.
func (s *Supervisor) NotReady() []string {
	names := []string{}
	for _, p := range s.Processes() {
		if p.State != process.Ready && !s.optional[p.Name] {
			names = append(names, p.Name)
		}
	}
	for _, w := range s.Workloads() {
		switch {
		case w.Version == "": // not even begun to start
			names = append(names, w.Name)
		case len(w.Replicas) != w.Desired,
			slices.ContainsFunc(w.Replicas, func(r ReplicaView) bool { return r.Version != w.Version }):
			names = append(names, w.Name+" (changing)")
		}
	}
	return names
}
