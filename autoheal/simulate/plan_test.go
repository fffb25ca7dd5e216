package simulate

import (
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/faultline-lab/faultline/autoheal/guard"
)

// plan is all that a seed decides beforehand.
type plan struct {
	patients int
	limits   guard.Limits
	tick     time.Duration
	// stabilise is the hold after the proof.
	stabilise time.Duration
	// lasts is how long the adversary is at work; rest bounds how long all may take to end afterwards.
	lasts, rest time.Duration
	episodes    []episode
	windows     []window
	// kills is how many healers die, mortality the most boundaries that one of those lives through.
	kills, mortality int
	twins            int     // how often a second healer is started beside the first
	flaky            float64 // share of gatherings that lack or distort something
	lossy            float64 // share of effects whose answer is lost, late or a refusal
	mute             float64 // share of questions that nobody answers
}

// episode is one fault of one patient, hidden from the healer.
type episode struct {
	at      time.Duration
	patient int
	kind    faultKind
	// passes is after how long it ends by itself; 0: never.
	passes time.Duration
	// old means that a bad release is too old to be in evidence.
	old bool
	// relapses is how many restarts are in vain.
	relapses int
	// alerts is how many come; more than one in a storm.
	alerts int
}

// window is a while in which something is wrong with the healer's surroundings.
type window struct {
	from, until time.Duration
	what        condition
	patient     int
}

type condition string

const (
	fullDisk   condition = "the disk is full"
	paused     condition = "the healer is paused"
	switchOn   condition = "the kill switch is on"
	noSenses   condition = "nothing can be measured"
	lyingEdge  condition = "the edge's figures are the wrong way round"
	noEdge     condition = "the edge's figures cannot be read"
	deadScrape condition = "Prometheus resolves everything"
)

func newPlan(seed uint64) plan {
	r := rand.New(rand.NewPCG(seed, 1))
	limits := guard.Defaults(guard.Act)
	limits.PerHour = pickOne(r, 6, 12, 1000, 1000)
	limits.InFlight = pickOne(r, 1, 2, 4)
	limits.Repeats = pickOne(r, 2, 4, 1000)
	limits.Storm = pickOne(r, 5, 1000, 1000)
	limits.Cooldown = pickOne(r, 30*time.Second, time.Minute, 5*time.Minute)
	limits.Autonomy = pickOne(r, guard.Act, guard.Act, guard.Act, guard.Act, guard.Act, guard.Act, guard.Approve, guard.Observe)
	p := plan{
		patients: 2 + r.IntN(5), limits: limits, tick: pickOne(r, time.Second, 5*time.Second, 15*time.Second),
		stabilise: pickOne(r, 3*time.Second, 10*time.Second),
		lasts:     between(r, 4*time.Minute, 15*time.Minute), rest: 30 * time.Minute,
		kills: pickOne(r, 0, 3, 8, 20), mortality: pickOne(r, 10, 60, 200), twins: pickOne(r, 0, 0, 0, 1, 3),
		flaky: pickOne(r, 0, 0.05, 0.2), lossy: pickOne(r, 0, 0.1, 0.3), mute: pickOne(r, 0, 0.3, 1),
	}
	for range 8 + r.IntN(30) {
		p.episodes = append(p.episodes, p.episode(r))
	}
	for range r.IntN(7) {
		from := between(r, 0, p.lasts)
		p.windows = append(p.windows, window{
			from: from, until: min(from+between(r, time.Second, 90*time.Second), p.lasts), patient: r.IntN(p.patients),
			what: pickOne(r, fullDisk, switchOn, paused, noSenses, lyingEdge, noEdge, deadScrape),
		})
	}
	return p
}

func (p plan) episode(r *rand.Rand) episode {
	e := episode{
		at: between(r, 0, p.lasts-time.Minute), patient: r.IntN(p.patients), alerts: 1 + r.IntN(3),
		kind: pickOne(r, leak, leak, leak, release, locked, slowQuery, latency, latency, serverFull, downstream, surge, unnamed, lookAlike, nothing),
		old:  chance(r, 0.3),
	}
	if chance(r, 0.3) || e.kind == latency || e.kind == downstream || e.kind == surge {
		e.passes = between(r, time.Second, 40*time.Second)
	}
	if chance(r, 0.3) {
		e.relapses = 1 + r.IntN(3)
	}
	if chance(r, 0.002) {
		e.alerts = 1000 + r.IntN(2000)
	}
	return e
}

func (p plan) String() string {
	return fmt.Sprintf("%d patients, %d episodes in %s, %d kills (at most %d boundaries), %d twins, flaky %g, lossy %g, mute %g, autonomy %s, in flight %d, per hour %d, cooldown %s, tick %s",
		p.patients, len(p.episodes), p.lasts.Round(time.Second), p.kills, p.mortality, p.twins, p.flaky, p.lossy, p.mute, p.limits.Autonomy, p.limits.InFlight,
		p.limits.PerHour, p.limits.Cooldown, p.tick)
}

func pickOne[T any](r *rand.Rand, from ...T) T { return from[r.IntN(len(from))] }
