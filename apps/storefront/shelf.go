package storefront

import (
	"encoding/json"
	"sync"
	"time"
)

// maxPages bounds the pages that are kept: the catalogue and some hundreds of products.
const maxPages = 1000

// shelf keeps the last good answer of each page that customers browse.
type shelf struct {
	mu    sync.Mutex
	pages map[string]page
}

type page struct {
	body json.RawMessage
	at   time.Time
}

func newShelf() *shelf { return &shelf{pages: map[string]page{}} }

func (s *shelf) put(path string, body json.RawMessage) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, known := s.pages[path]; !known && len(s.pages) >= maxPages {
		return
	}
	s.pages[path] = page{body, time.Now()}
}

func (s *shelf) get(path string) (page, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	found, ok := s.pages[path]
	return found, ok
}
