package closedloop

import (
	"testing"
	"time"

	"github.com/faultline-lab/faultline/e2e/internal/looptest"
)

func TestTheLoopCloses(t *testing.T) {
	root := looptest.Root(t)
	stack := startStack(t, root)

	t.Run("a replica that leaks is restarted and its well neighbour is left alone", func(t *testing.T) {
		checkPartialLeak(t, stack.Stack)
	})

	page := newBurn(t, stack.Stack)
	page.awaitSilence(t) // the partial leak has burnt, too
	healed := looptest.Trial(t, root, "healer", 0)
	t.Run("the healer names the leak, restarts what leaks, and the client recovers", func(t *testing.T) { looptest.CheckHealed(t, healed) })
	t.Run("the page of checkout's error budget is over after the heal", func(t *testing.T) { page.check(t, healed) })

	window := 20 * time.Second
	left := looptest.Trial(t, root, "none", window)
	t.Run("without the healer the same fault stays", func(t *testing.T) { looptest.CheckLeftAlone(t, left) })
	t.Run("a fault that stays pages for checkout's error budget until it is taken away", func(t *testing.T) { page.check(t, left) })
}
