package loadgen

import (
	"slices"
	"testing"
	"time"
)

var start = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

// answers repeats an answer.
func answers(n int, answer Answer) []Answer { return slices.Repeat([]Answer{answer}, n) }

func TestOneCheckoutHasOneOutcome(t *testing.T) {
	quick, late := 100*time.Millisecond, 501*time.Millisecond
	tests := []struct {
		name   string
		answer Answer
		want   Outcome
	}{
		{"completed in time is good", Answer{Status: 201, Latency: quick}, Good},
		{"completed exactly at the objective is good", Answer{Status: 201, Latency: Objective}, Good},
		{"completed too late is slow", Answer{Status: 201, Latency: late}, Slow},
		{"taken but not completed is accepted", Answer{Status: 202, Latency: quick}, Accepted},
		{"a business refusal is excluded", Answer{Status: 422, Latency: quick}, Excluded},
		{"a late business refusal is excluded", Answer{Status: 422, Latency: late}, Excluded},
		{"not found is excluded", Answer{Status: 404, Latency: quick}, Excluded},
		{"too many requests is no business reason", Answer{Status: 429, Latency: quick}, Failed},
		{"request timeout is no business reason", Answer{Status: 408, Latency: quick}, Failed},
		{"an overload is failed", Answer{Status: 503, Latency: quick}, Failed},
		{"another success than the contract's is failed", Answer{Status: 200, Latency: quick}, Failed},
		{"a redirect is failed", Answer{Status: 302, Latency: quick}, Failed},
		{"no answer is failed", Answer{Latency: quick}, Failed},
		{"not sent is failed", Answer{Unsent: true}, Failed},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := tt.answer.Outcome(); got != tt.want {
				t.Errorf("%s, want %s", got, tt.want)
			}
		})
	}
}

func TestASecondIsOKWhenEnoughOfItIsGood(t *testing.T) {
	good, bad := Answer{Status: 201, Latency: time.Millisecond}, Answer{Status: 503}
	refused, accepted := Answer{Status: 422}, Answer{Status: 202}
	tests := []struct {
		name    string
		answers []Answer
		ok      bool
	}{
		{"38 of 40 are 95 %", slices.Concat(answers(38, good), answers(2, bad)), true},
		{"37 of 40 are less", slices.Concat(answers(37, good), answers(3, bad)), false},
		{"business refusals do not count against it", slices.Concat(answers(20, good), answers(20, refused)), true},
		{"business refusals do not hide a failure", slices.Concat(answers(10, good), answers(29, refused), answers(1, bad)), false},
		{"202s are not good", slices.Concat(answers(30, good), answers(10, accepted)), false},
		{"nothing but business refusals is not known to be good", answers(40, refused), false},
		{"nothing sent is not ok", nil, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tally := &tally{start: start, planned: len(tt.answers), answers: map[Outcome]int{}}
			for _, answer := range tt.answers {
				tally.add(answer)
			}
			second := tally.second()
			if second.OK != tt.ok {
				t.Errorf("ok is %v: %+v", second.OK, second)
			}
			if sum := second.Good + second.Slow + second.Failed + second.Excluded + second.Accepted; sum != second.Sent {
				t.Errorf("the outcomes add up to %d of %d", sum, second.Sent)
			}
		})
	}
}

func TestPercentilesLeaveOutWhatWasRefusedOrNeverSent(t *testing.T) {
	tally := &tally{start: start, planned: 104, answers: map[Outcome]int{}}
	for n := range 100 {
		tally.add(Answer{Status: 201, Latency: time.Duration(100-n) * time.Millisecond})
	}
	tally.add(Answer{Status: 422, Latency: 9 * time.Second})
	tally.add(Answer{Unsent: true, Latency: 9 * time.Second})
	second := tally.second()
	if second.P50Millis != 50 || second.P99Millis != 99 {
		t.Errorf("p50 %v, p99 %v", second.P50Millis, second.P99Millis)
	}
}

func TestASecondNamesAtMostFiveFailedTraces(t *testing.T) {
	tally := &tally{start: start, planned: 8, answers: map[Outcome]int{}}
	tally.add(Answer{Status: 201, Span: spanOf(1)})
	tally.add(Answer{Unsent: true})
	for range 6 {
		tally.add(Answer{Status: 503, Span: spanOf(2)})
	}
	if got := tally.second().FailedTraceIDs; !slices.Equal(got, slices.Repeat([]string{spanOf(2).TraceID().String()}, 5)) {
		t.Errorf("got %v", got)
	}
}

func TestSecondsComeOutInOrderAndNotBeforeTheyAreOver(t *testing.T) {
	var got []time.Time
	book := newBook(func(s Second) { got = append(got, s.Second) })
	first := book.begin(start, 2)
	second := book.begin(start.Add(time.Second), 1)
	book.ended(first, Answer{Status: 201})
	book.ended(second, Answer{Status: 201})
	book.close(start.Add(3 * time.Second))
	if len(got) != 0 {
		t.Fatalf("%v came out while the first second waits for a request", got)
	}
	book.ended(first, Answer{})
	book.close(start.Add(500 * time.Millisecond))
	if len(got) != 0 {
		t.Fatalf("%v came out before it was over", got)
	}
	book.close(start.Add(1900 * time.Millisecond))
	if len(got) != 1 {
		t.Fatalf("%v came out, want the first second only", got)
	}
	book.close(start.Add(2 * time.Second))
	if len(got) != 2 || !got[0].Equal(start) || !got[1].Equal(start.Add(time.Second)) {
		t.Errorf("got %v", got)
	}
}
