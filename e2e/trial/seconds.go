package trial

import (
	"sync"
	"time"

	"github.com/faultline-lab/faultline/e2e/record"
)

// seconds collects the client's seconds while the trial goes on.
type seconds struct {
	mu  sync.Mutex
	all []record.Second
}

func (s *seconds) add(second record.Second) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.all = append(s.all, second)
}

func (s *seconds) judge(injected time.Time) record.Client {
	s.mu.Lock()
	defer s.mu.Unlock()
	return record.Judge(s.all, injected)
}

// since judges the seconds that began after a moment as if a fault had been there right before: the first run of good seconds
// is recovery.
func (s *seconds) since(moment time.Time) record.Client {
	s.mu.Lock()
	defer s.mu.Unlock()
	return record.JudgeReturn(s.all, moment)
}
