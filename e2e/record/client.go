package record

import "time"

// RecoveryRun is how many good seconds running count as recovery.
const RecoveryRun = 10

// Second is one wall-clock second as the client saw it.
type Second struct {
	Start    time.Time
	Counted  int  // checkouts sent, business refusals left out
	Good     int  // completed within the objective
	Accepted int  // taken with 202, to be completed later
	OK       bool // Good is at least 95 % of Counted
	// Mitigated is OK with Accepted counted as good.
	Mitigated bool
}

// Client is what the client's seconds say about a trial.
type Client struct {
	FirstBad, Mitigated, Recovered *time.Time
	Seconds, Requests, Failed      int
}

// Judge reads the client's seconds, oldest first, from the one in which the injection fell. A run of RecoveryRun good
// seconds after the first bad one is recovery, dated at its first second; a run that the observation ends too early does
// not count, and a bad second after it takes it back: a relapse must be recovered from anew. A second that nobody reported
// is not known to be good and breaks a run. Where the injection fell into the first bad second, that is dated at the injection: nothing was bad before.
func Judge(seconds []Second, injected time.Time) Client {
	var verdict Client
	var good, mitigated int
	for i, second := range seconds {
		if !second.Start.Add(time.Second).After(injected) {
			continue
		}
		verdict.Seconds++
		verdict.Requests += second.Counted
		verdict.Failed += second.Counted - second.Good - second.Accepted
		if verdict.FirstBad == nil {
			if second.OK {
				continue
			}
			verdict.FirstBad = later(second.Start, injected)
		}
		if i > 0 && !second.Start.Equal(seconds[i-1].Start.Add(time.Second)) {
			good, mitigated = 0, 0
		}
		good, mitigated = run(good, second.OK), run(mitigated, second.Mitigated)
		verdict.Recovered = date(verdict.Recovered, good, seconds, i)
		verdict.Mitigated = date(verdict.Mitigated, mitigated, seconds, i)
	}
	return verdict
}

// JudgeReturn reads the seconds that begin after the fault was taken away. Recovered is the first of the first RecoveryRun
// good seconds running that no bad one has followed; FirstBad stays nil, because what was bad before was the fault's.
func JudgeReturn(seconds []Second, removed time.Time) Client {
	var verdict Client
	good := 0
	for i, second := range seconds {
		if second.Start.Before(removed) {
			continue
		}
		verdict.Seconds++
		verdict.Requests += second.Counted
		verdict.Failed += second.Counted - second.Good - second.Accepted
		if i > 0 && !second.Start.Equal(seconds[i-1].Start.Add(time.Second)) {
			good = 0
		}
		good = run(good, second.OK)
		verdict.Recovered = date(verdict.Recovered, good, seconds, i)
	}
	return verdict
}

// date is the first second of the run that ends at i, once that is long enough; a broken run takes the date back.
func date(known *time.Time, length int, seconds []Second, i int) *time.Time {
	switch {
	case length == RecoveryRun:
		return &seconds[i-RecoveryRun+1].Start
	case length < RecoveryRun:
		return nil
	default:
		return known
	}
}

func later(a, b time.Time) *time.Time {
	if a.Before(b) {
		return &b
	}
	return &a
}

func run(length int, goesOn bool) int {
	if !goesOn {
		return 0
	}
	return length + 1
}

// Between returns the seconds from a to b, or nil when either has not happened.
func Between(a, b *time.Time) *float64 {
	if a == nil || b == nil {
		return nil
	}
	seconds := b.Sub(*a).Seconds()
	return &seconds
}

// Measure fills in the client's stages and every duration from them.
func (r *Record) Measure(client Client) {
	r.Stages.FirstBad, r.Stages.SLIMitigated, r.Stages.SLIRecovered = client.FirstBad, client.Mitigated, client.Recovered
	r.Requests, r.Failed = client.Requests, client.Failed
	r.MTTD = Between(client.FirstBad, r.Stages.AlertFiring)
	r.MTTR = Between(client.FirstBad, client.Recovered)
	r.Mitigated = Between(client.FirstBad, client.Mitigated)
	r.MTTRInjected = Between(r.Stages.Injected, client.Recovered)
}
