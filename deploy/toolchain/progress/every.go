package progress

import "time"

// Every calls do at once and then at each interval, for work that says nothing by itself, until stop is called. After that
// it is never called again.
func Every(interval time.Duration, do func()) (stop func()) {
	ticker := time.NewTicker(interval)
	done, gone := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(gone)
		for {
			do()
			select {
			case <-ticker.C:
			case <-done:
				return
			}
		}
	}()
	return func() {
		ticker.Stop()
		close(done)
		<-gone
	}
}
