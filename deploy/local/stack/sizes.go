package stack

import "fmt"

// Sizes are what a study varies to see whether the healer knows or recites. Zero means the sheet's figure. The healer is told
// none of them.
type Sizes struct {
	PoolSize int // connections of each replica of orders
	Rate     int // checkouts a second
	// HealerFlags are further flags of the healer, such as another playbook.
	HealerFlags []string
}

// The sheet of the contracts.
const (
	sheetPoolSize = 4
	sheetRate     = 40
)

// largestPool is what two replicas can take of the server beside everybody else; a rate beyond largestRate is no checkout's.
const (
	largestPool = 12
	largestRate = 1000
)

func (s *Sizes) defaults() error {
	if s.PoolSize == 0 {
		s.PoolSize = sheetPoolSize
	}
	if s.Rate == 0 {
		s.Rate = sheetRate
	}
	if s.PoolSize < 1 || s.PoolSize > largestPool {
		return fmt.Errorf("a pool of %d: choose 1 to %d, or the server's connections do not suffice", s.PoolSize, largestPool)
	}
	if s.Rate < 1 || s.Rate > largestRate {
		return fmt.Errorf("%d checkouts a second: choose 1 to %d", s.Rate, largestRate)
	}
	return nil
}
