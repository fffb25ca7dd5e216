package supervisor

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestALogThatGrewTooLargeKeepsItsLastLinesAndItsWriterGoesOn(t *testing.T) {
	path := filepath.Join(t.TempDir(), "orders-1.log")
	writer, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	defer writer.Close()
	for i := range 1000 {
		fmt.Fprintf(writer, "line %04d\n", i)
	}
	if err := trim(path, 1<<20, 100); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(path); err != nil || info.Size() != 10_000 {
		t.Fatalf("a small log was touched: %v %v", info, err)
	}
	if err := trim(path, 5000, 45); err != nil {
		t.Fatal(err)
	}
	fmt.Fprintln(writer, "and on")
	got, err := os.ReadFile(path)
	want := "(earlier lines were cut off)\nline 0996\nline 0997\nline 0998\nline 0999\nand on\n"
	if err != nil || string(got) != want {
		t.Errorf("got %q (%v), want %q", got, err, want)
	}
}

func TestTheEndOfALogIsItsLastLines(t *testing.T) {
	path := filepath.Join(t.TempDir(), "loki.log")
	var text strings.Builder
	for i := range 100 {
		fmt.Fprintf(&text, "line %d\n", i)
	}
	if err := os.WriteFile(path, []byte(text.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	got := lastLines(path)
	if strings.Contains(got, "line 84\n") || !strings.Contains(got, "line 85\n") || !strings.HasSuffix(got, "line 99") ||
		!strings.Contains(got, path) {
		t.Errorf("got %q", got)
	}
}
