package supervisor

import (
	"context"
	"fmt"
)

// Restart ends one replica in order and starts it anew on the same port; it returns at once. When startID is not that of
// the child that runs now, nothing happens and the error is ErrConflict. An empty startID is no condition. The context is
// only for its trace, which goes on until the replica is ready.
func (s *Supervisor) Restart(ctx context.Context, workload, replica, startID string) error {
	w, err := s.changeable(workload)
	if err != nil {
		return err
	}
	restarted, err := w.restart(replica, startID)
	if err != nil {
		return err
	}
	s.traceRestart(ctx, workload, restarted)
	return nil
}

// Scale sets how many replicas a workload shall have; it returns at once. With ends, the supervisor itself takes it back
// when nobody asks again in time. ErrInvalid outside 0..max. ErrConflict for a scale with an end whose key has come with one without
// before: it was taken back, and this request was long on its way. Without a key nobody remembers.
func (s *Supervisor) Scale(workload string, replicas int, ends *Lapse, key string) error {
	w, err := s.changeable(workload)
	if err != nil {
		return err
	}
	return w.scale(replicas, ends, key)
}

// SetVersion has the replicas of a workload replaced by another version, one at a time; it returns at once. ErrInvalid
// for a version that there is not.
func (s *Supervisor) SetVersion(workload, version string) error {
	w, err := s.changeable(workload)
	if err != nil {
		return err
	}
	return w.setVersion(version)
}

// Wipe removes the working files of a workload. ErrConflict unless it is scaled to 0 and has no replicas left.
func (s *Supervisor) Wipe(workload string) error {
	w, err := s.changeable(workload)
	if err != nil {
		return err
	}
	return w.wipe()
}

// changeable refuses once the supervisor is stopping: what was started then would be left behind.
func (s *Supervisor) changeable(name string) (*workload, error) {
	if s.keepers.Err() != nil {
		return nil, fmt.Errorf("%w: the stack is being stopped", ErrConflict)
	}
	return s.find(name)
}

func (s *Supervisor) find(name string) (*workload, error) {
	w, ok := s.workloads[name]
	if !ok {
		return nil, fmt.Errorf("%w: there is no workload %q: `stack status` lists them", ErrNotFound, name)
	}
	return w, nil
}
