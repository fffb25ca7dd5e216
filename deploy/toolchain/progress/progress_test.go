package progress

import (
	"bytes"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestALogGetsALineEveryFifteenSeconds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		line := New(&out)
		line.Print("begin")
		for second := range 60 {
			time.Sleep(time.Second)
			line.Update("second %d", second)
		}
		line.Clear()
		line.Print("end")
		if got := strings.Count(out.String(), "\n"); got != 6 {
			t.Errorf("%d lines in a minute, want begin, four and end:\n%s", got, out.String())
		}
		if strings.ContainsAny(out.String(), "\r\033") {
			t.Errorf("a log has no use for cursor movements: %q", out.String())
		}
	})
}

func TestNothingIsShownToNobody(t *testing.T) {
	line := New(nil)
	line.Print("into the void")
	line.Update("into the void")
	line.Clear()
}

func TestCutKeepsALineFromWrapping(t *testing.T) {
	for name, test := range map[string]struct {
		text string
		want string
	}{
		"a line that fits is left alone":       {"12345", "12345"},
		"a longer one says that it was cut":    {"123456", "1234…"},
		"letters are counted and not bytes":    {"äöüßé", "äöüßé"},
		"a long one of them is cut as a whole": {"äöüßéà", "äöüß…"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := cut(test.text, 5); got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}
