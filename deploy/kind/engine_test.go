package kind

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"
	"time"
)

func TestTheEngineIsAskedWhatItIs(t *testing.T) {
	fakeDocker(t, `case $1 in version) echo 27.1.0 linux arm64;; info) echo 2;; esac`)
	found, err := findEngine(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if found.version != "27.1.0" || found.arch != "arm64" || found.cgroupV1 {
		t.Errorf("found %+v", found)
	}
}

func TestAnOldControlGroupIsNoticed(t *testing.T) {
	fakeDocker(t, `case $1 in version) echo 20.10.24 linux amd64;; info) echo 1;; esac`)
	found, err := findEngine(t.Context())
	if err != nil || !found.cgroupV1 {
		t.Errorf("found %+v, %v", found, err)
	}
}

func TestWithoutAnEngineOneIsToldWhatToDo(t *testing.T) {
	for name, c := range map[string]struct {
		docker string
		says   []string
	}{
		"there is no docker command": {"", []string{"install Docker", "TARGET=local"}},
		"nobody answers it": {
			`echo Cannot connect to the Docker daemon >&2; exit 1`,
			[]string{"Cannot connect", "start it", "stack airgap engine", "TARGET=local"},
		},
		"it runs containers of another system": {`echo 27.1.0 windows amd64`, []string{"windows", "switch"}},
		"it says something else":               {`echo hello`, []string{`"hello"`}},
	} {
		t.Run(name, func(t *testing.T) {
			fakeDocker(t, c.docker)
			_, err := findEngine(t.Context())
			if !errors.Is(err, ErrNoEngine) {
				t.Fatalf("got %v, want ErrNoEngine", err)
			}
			for _, part := range c.says {
				if !strings.Contains(err.Error(), part) {
					t.Errorf("it does not say %q: %v", part, err)
				}
			}
		})
	}
}

func TestAPullIsGivenUpWhenTheRegistrySaysNothing(t *testing.T) {
	fakeDocker(t, `exec sleep 600`)
	e := engine{firstWord: 50 * time.Millisecond}
	if err := e.pull(t.Context(), "docker.io/a:1", func(string) {}); !errors.Is(err, errSilent) {
		t.Errorf("got %v, want that the registry is silent", err)
	}
}

func TestAPullThatHasBegunHasTheTimeItNeeds(t *testing.T) {
	// It goes on when the time for the first word is long over, which a file tells it.
	over := t.TempDir() + "/over"
	fakeDocker(t, `echo 1.0: Pulling from a; while ! [ -e `+over+` ]; do sleep 0.05; done; echo Done`)
	e := engine{firstWord: 3 * time.Second}
	var heard []string
	first := make(chan struct{})
	go func() {
		<-first
		time.Sleep(e.firstWord + 100*time.Millisecond)
		touch(t, over)
	}()
	err := e.pull(t.Context(), "docker.io/a:1", func(line string) {
		if heard = append(heard, line); len(heard) == 1 {
			close(first)
		}
	})
	if err != nil || len(heard) != 2 || !strings.HasSuffix(heard[1], "Done") {
		t.Errorf("heard %q, %v", heard, err)
	}
}

func TestAPullThatFailsSaysWhatDockerSaid(t *testing.T) {
	fakeDocker(t, `echo more >&2; echo no such host >&2; exit 1`)
	e := engine{firstWord: time.Minute}
	err := e.pull(t.Context(), "docker.io/a:1", func(string) {})
	if err == nil || !strings.Contains(err.Error(), "no such host") || !strings.Contains(err.Error(), "docker.io/a:1") {
		t.Errorf("it says %v", err)
	}
}

func TestAnImageThatIsNotThereIsNoErrorAndAnInterruptIsOne(t *testing.T) {
	fakeDocker(t, `exit 1`)
	if there, err := new(engine{}).has(t.Context(), "a"); there || err != nil {
		t.Errorf("%v, %v", there, err)
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	cause := errors.New("enough")
	cancel(cause)
	if _, err := new(engine{}).has(ctx, "a"); !errors.Is(err, cause) {
		t.Errorf("interrupted, and it says %v", err)
	}
}

func TestAnArchiveOfTheEngineIsHandedOnAsItIs(t *testing.T) {
	fakeDocker(t, `[ "$*" = "save a:1 b:2" ] && printf archive`)
	var got bytes.Buffer
	if err := new(engine{}).save(t.Context(), &got, []string{"a:1", "b:2"}); err != nil || got.String() != "archive" {
		t.Errorf("%q, %v", got.String(), err)
	}
}

func TestTheMachineOfAClusterIsReadFromTheEngine(t *testing.T) {
	fakeDocker(t, `case $1 in
ps) echo abc;;
container) echo '{"Id":"abc","Name":"/x-control-plane","State":{"Running":true},"HostConfig":{"PortBindings":{"30080/tcp":[{"HostIp":"127.0.0.1","HostPort":"8080"}],"6443/tcp":[]}}}';;
esac`)
	node, err := machineOf(t.Context(), "x")
	if err != nil || node.ID != "abc" || node.Name != "x-control-plane" || !node.Running || node.Ports["30080/tcp"] != "8080" {
		t.Errorf("%+v, %v", node, err)
	}
}

func TestAClusterOfSeveralNodesIsNotOurs(t *testing.T) {
	fakeDocker(t, `echo abc; echo def`)
	if _, err := machineOf(t.Context(), "x"); err == nil || !strings.Contains(err.Error(), clusterVariable) {
		t.Errorf("it says %v", err)
	}
	fakeDocker(t, `:`)
	if node, err := machineOf(t.Context(), "x"); node != nil || err != nil {
		t.Errorf("without a cluster: %+v, %v", node, err)
	}
}
