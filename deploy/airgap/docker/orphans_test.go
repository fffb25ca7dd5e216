package docker

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestOnlyWhatAMakerOfThisMachineLeftIsRemoved(t *testing.T) {
	dir := t.TempDir()
	removed := filepath.Join(dir, "removed")
	gone := filepath.Join(dir, "gone")
	engine := fake(t, `case $1 in
ps) cat <<EOF
lives `+Maker(dir)+`
orphan `+Maker(gone)+`
elsewhere not-`+Maker(gone)+`
node
nowhere `+Hostname()+`
EOF
;;
rm) echo "$4" >>`+removed+` ;;
esac`)
	if err := engine.RemoveOrphans(t.Context(), "a.label"); err != nil {
		t.Fatal(err)
	}
	if text, err := os.ReadFile(removed); err != nil || strings.TrimSpace(string(text)) != "orphan" {
		t.Errorf("removed were %s, %v", text, err)
	}
}

func TestAContainerThatIsGoneIsAsGoodAsRemoved(t *testing.T) {
	engine := fake(t, `echo "Error: No such container: $4" >&2; exit 1`)
	if err := engine.RemoveContainer(t.Context(), "x"); err != nil {
		t.Error(err)
	}
	engine = fake(t, `echo "device or resource busy" >&2; exit 1`)
	if err := engine.RemoveContainer(t.Context(), "x"); err == nil || !strings.Contains(err.Error(), "busy") {
		t.Errorf("got %v", err)
	}
}
