package progress

import (
	"testing"
	"testing/synctest"
	"time"
)

func TestItIsDoneAtOnceAndAtEachIntervalAndNotAfterTheStop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		times := 0
		stop := Every(time.Second, func() { times++ })
		time.Sleep(3*time.Second + 500*time.Millisecond)
		stop()
		time.Sleep(time.Minute)
		if times != 4 {
			t.Errorf("done %d times, want at once and after each of three seconds", times)
		}
	})
}
