package policy_test

import (
	"math"
	"strings"
	"testing"
	"time"

	"github.com/faultline-lab/faultline/slo/policy"
)

const whole = "version: 1\ncautious_below: 0.5\nfreeze_at: 0\nunknown: cautious\n"

func parse(t *testing.T, text string) policy.Policy {
	t.Helper()
	p, err := policy.Parse("policy.yaml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestWhatIsLeftDecides(t *testing.T) {
	p, err := policy.Default()
	if err != nil {
		t.Fatal(err)
	}
	for name, row := range map[string]struct {
		remaining float64
		want      policy.Level
	}{
		"a whole budget is there to be used":                    {1, policy.Free},
		"half of it is still free":                              {0.5, policy.Free},
		"less than half asks for care":                          {0.4999, policy.Cautious},
		"the last bit asks for care":                            {1e-9, policy.Cautious},
		"an empty budget freezes":                               {0, policy.Freeze},
		"an overdrawn one freezes":                              {-0.3, policy.Freeze},
		"an unknown one is neither full nor empty":              {math.NaN(), policy.Cautious},
		"an infinite one is a mistake and so unknown":           {math.Inf(1), policy.Cautious},
		"an infinitely overdrawn one is a mistake just as well": {math.Inf(-1), policy.Cautious},
	} {
		t.Run(name, func(t *testing.T) {
			// However fast it burns: the default does not look at that.
			for _, lasts := range []time.Duration{-1, 0, time.Second, math.MaxInt64} {
				got := p.Decide(policy.Budget{Remaining: row.remaining, Lasts: lasts})
				if got.Level != row.want || got.Reason == "" {
					t.Errorf("got %+v, want %s with a reason", got, row.want)
				}
			}
		})
	}
}

func TestABudgetThatWillNotLastAsksForCareWhereTheFileSaysSo(t *testing.T) {
	p := parse(t, whole+"cautious_when_it_lasts: 1h\n")
	for name, row := range map[string]struct {
		budget policy.Budget
		want   policy.Level
	}{
		"it lasts for ever":                     {policy.Budget{Remaining: 1, Lasts: math.MaxInt64}, policy.Free},
		"it lasts longer than an hour":          {policy.Budget{Remaining: 1, Lasts: time.Hour + 1}, policy.Free},
		"it lasts an hour":                      {policy.Budget{Remaining: 1, Lasts: time.Hour}, policy.Cautious},
		"nobody knows how long":                 {policy.Budget{Remaining: 1, Lasts: -1}, policy.Cautious},
		"an empty one freezes, whatever burns":  {policy.Budget{Remaining: 0, Lasts: math.MaxInt64}, policy.Freeze},
		"what burns makes nothing less careful": {policy.Budget{Remaining: 0.1, Lasts: math.MaxInt64}, policy.Cautious},
	} {
		t.Run(name, func(t *testing.T) {
			if got := p.Decide(row.budget); got.Level != row.want {
				t.Errorf("got %+v, want %s", got, row.want)
			}
		})
	}
}

func TestTheStrictestOfAllSLOsCounts(t *testing.T) {
	for name, row := range map[string]struct {
		levels []policy.Level
		want   policy.Level
	}{
		"one freeze freezes all":             {[]policy.Level{policy.Free, policy.Freeze, policy.Cautious}, policy.Freeze},
		"care is catching":                   {[]policy.Level{policy.Cautious, policy.Free}, policy.Cautious},
		"all free is free":                   {[]policy.Level{policy.Free, policy.Free}, policy.Free},
		"none asked, nothing known":          {nil, policy.Cautious},
		"a level that does not exist is bad": {[]policy.Level{policy.Free, "bold"}, "bold"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := policy.Strictest(row.levels...); got != row.want {
				t.Errorf("got %s, want %s", got, row.want)
			}
		})
	}
	if got := policy.Level("bold").Number(); got != policy.Freeze.Number() {
		t.Errorf("a level that does not exist has number %d, which is not the strictest", got)
	}
}

func TestTheSeriesSaysWhatTheFunctionSays(t *testing.T) {
	if got, want := parse(t, whole).PromQL("r"), "(r < bool 0.5) + (r <= bool 0)"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestAPolicyFileWithAMistakeIsRefusedAndTheErrorSaysWhere(t *testing.T) {
	for name, row := range map[string]struct{ text, want string }{
		"nothing in it":             {"", "policy.yaml:1:1: the file is empty"},
		"two documents":             {whole + "---\n" + whole, "policy.yaml:6:1: the file has 2 documents"},
		"no YAML":                   {"version: [1", "policy.yaml:1:"},
		"a key that does not exist": {whole + "freeze_below: 0\n", `policy.yaml:5:1: unknown key "freeze_below" in the document; the keys there are: version`},
		"a word for a number":       {strings.Replace(whole, "0.5", "half", 1), "policy.yaml:2:17: "},
		"no version":                {strings.Replace(whole, "version: 1\n", "", 1), "policy.yaml:1:1: version is missing"},
		"another version":           {strings.Replace(whole, "1", "2", 1), "policy.yaml:1:10: version is 2"},
		"a threshold is missing":    {strings.Replace(whole, "freeze_at: 0\n", "", 1), "policy.yaml:1:1: cautious_below, freeze_at and unknown are all needed"},
		"percent for a share":       {strings.Replace(whole, "0.5", "50", 1), "policy.yaml:2:17: cautious_below is 50"},
		"a threshold that is no number": {
			strings.Replace(whole, "0.5", ".nan", 1), "policy.yaml:2:17: cautious_below is NaN",
		},
		"freeze above cautious":      {strings.Replace(whole, "freeze_at: 0", "freeze_at: 0.6", 1), "policy.yaml:3:12: freeze_at is 0.6"},
		"a level that nobody knows":  {strings.Replace(whole, "cautious\n", "panic\n", 1), `policy.yaml:4:10: unknown is "panic"`},
		"a duration without a unit":  {whole + "cautious_when_it_lasts: 5\n", `policy.yaml:5:25: `},
		"a duration that runs back":  {whole + "cautious_when_it_lasts: -1h\n", `policy.yaml:5:25: "-1h" is no duration above zero`},
		"the same key said twice":    {whole + "version: 1\n", "policy.yaml:5:1: "},
		"a list where a map belongs": {"- 1\n", "policy.yaml:1:"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := policy.Parse("policy.yaml", []byte(row.text))
			if err == nil || !strings.HasPrefix(err.Error(), row.want) {
				t.Errorf("error %v, want %q...", err, row.want)
			}
		})
	}
}

func TestAFileThatIsNotThereIsNamed(t *testing.T) {
	if _, err := policy.Load("no/such.yaml"); err == nil || !strings.Contains(err.Error(), "no/such.yaml") {
		t.Errorf("error %v does not name the file", err)
	}
	if _, err := policy.Load(""); err != nil {
		t.Errorf("the built-in policy: %v", err)
	}
}

func FuzzAPolicyFileNeverPanicsAndWhatItAcceptsCanDecide(f *testing.F) {
	f.Add([]byte(whole))
	f.Add([]byte("version: 1\n"))
	f.Add([]byte("a: &a [*a]"))
	f.Fuzz(func(t *testing.T, data []byte) {
		p, err := policy.Parse("fuzz", data)
		if err != nil {
			return
		}
		// With less left, nobody gets bolder.
		last := policy.Free
		for _, left := range []float64{1, 0.5, 0.1, 0, -2} {
			got := p.Decide(policy.Budget{Remaining: left, Lasts: math.MaxInt64}).Level
			if got.Number() < last.Number() {
				t.Errorf("with %v left the level is %s, with more it was %s", left, got, last)
			}
			last = got
		}
	})
}
