package apiserver

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"syscall"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/faultline-lab/faultline/deploy/beside"
	"github.com/faultline-lab/faultline/deploy/beside/besidetest"
)

// helperVariable makes the test binary act as a program that runs a command with an API server, so that a test can kill
// it.
const helperVariable = "FAULTLINE_TEST_RUNWITH"

func TestMain(m *testing.M) {
	command := os.Getenv(helperVariable)
	if command == "" {
		os.Exit(m.Run())
	}
	if RunWith(context.Background(), Options{}, os.Stdout, os.Stderr, []string{"/bin/sh", "-c", command}) != nil {
		os.Exit(70)
	}
}

// needsPrograms skips where the servers would have to be built first, which takes minutes; CI builds them.
func needsPrograms(t *testing.T) {
	t.Helper()
	if os.Getenv("CI") == "true" {
		return
	}
	for _, name := range []string{"etcd", "kube-apiserver", "kube-controller-manager"} {
		if _, err := os.Stat(filepath.Join(os.Getenv("FAULTLINE_TOOLS_DIR"), name)); err != nil {
			t.Skipf("NOT TESTED: %s needs etcd, kube-apiserver and kube-controller-manager: `stack tools --dir=.faultline/tools etcd "+
				"kube-apiserver kube-controller-manager` builds them; FAULTLINE_TOOLS_DIR says where they are", t.Name())
		}
	}
}

func TestACommandGetsAnAPIServerThatWorks(t *testing.T) {
	needsPrograms(t)
	ctx, cancel := context.WithCancelCause(t.Context())
	output := besidetest.NewFirstLine()
	done := make(chan error, 1)
	go func() {
		done <- RunWith(ctx, Options{}, output, os.Stderr,
			[]string{"/bin/sh", "-c", `echo "$FAULTLINE_TEST_KUBECONFIG"; sleep 300 & wait`})
	}()
	kubeconfig := besidetest.Await(t, output.Line)
	makesPods(t, kubeconfig)

	why := errors.New("Ctrl-C")
	cancel(why)
	if err := besidetest.Await(t, done); !errors.Is(err, why) {
		t.Errorf("got %v", err)
	}
	if _, err := os.Stat(filepath.Dir(kubeconfig)); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("its files are still there: %v", err)
	}
}

// makesPods deploys something and waits for its pods, which takes all the controllers between the two.
func makesPods(t *testing.T, kubeconfig string) {
	t.Helper()
	c, err := client(kubeconfig)
	if err != nil {
		t.Fatal(err)
	}
	labels := map[string]string{"app": "web"}
	_, err = c.AppsV1().Deployments("default").Create(t.Context(), &appsv1.Deployment{
		ObjectMeta: metav1.ObjectMeta{Name: "web"},
		Spec: appsv1.DeploymentSpec{
			Replicas: new(int32(2)), Selector: &metav1.LabelSelector{MatchLabels: labels},
			Template: corev1.PodTemplateSpec{
				ObjectMeta: metav1.ObjectMeta{Labels: labels},
				Spec:       corev1.PodSpec{Containers: []corev1.Container{{Name: "web", Image: "example.invalid/web"}}},
			},
		},
	}, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	besidetest.Eventually(t, "two pods with a token of the default account", func() bool {
		pods, err := c.CoreV1().Pods("default").List(t.Context(), metav1.ListOptions{LabelSelector: "app=web"})
		return err == nil && len(pods.Items) == 2 && len(pods.Items[0].Spec.Volumes) == 1
	})
}

func TestTheExitCodeIsPassedOn(t *testing.T) {
	needsPrograms(t)
	var output bytes.Buffer
	err := RunWith(t.Context(), Options{Progress: &output}, &output, &output, []string{"/bin/sh", "-c", "exit 7"})
	if exit, ok := errors.AsType[*beside.ExitError](err); !ok || exit.Code != 7 {
		t.Errorf("got %v, want exit code 7", err)
	}
	if !bytes.Contains(output.Bytes(), []byte("ready after")) {
		t.Errorf("no progress: %q", output.String())
	}
}

func TestRunWithRefusesBeforeItStartsAServer(t *testing.T) {
	if err := RunWith(t.Context(), Options{ToolsDir: "/nowhere", CacheDir: "/nowhere"}, nil, nil, []string{"there-is-no-such-command"}); !errors.Is(err, exec.ErrNotFound) {
		t.Errorf("got %v", err)
	}
}

func TestAServerThatCannotStartSaysWhy(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"etcd", "kube-apiserver", "kube-controller-manager"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("#!/bin/sh\necho $0: no room on the disk\n"), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	_, err := Standalone(t.Context(), Options{ToolsDir: dir})
	if err == nil || !bytes.Contains([]byte(err.Error()), []byte("no room on the disk")) {
		t.Errorf("got %v", err)
	}
}

func TestTheServersDieWithAKilledParent(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("NOT TESTED: only Linux tells a child of its parent's death")
	}
	needsPrograms(t)
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	output := besidetest.NewFirstLine()
	cmd := exec.Command(self)
	cmd.Env = append(os.Environ(), helperVariable+`=echo "$FAULTLINE_TEST_KUBECONFIG"; exec sleep 300`)
	cmd.Stdout = output
	cmd.WaitDelay = time.Second
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	kubeconfig := besidetest.Await(t, output.Line)
	if err := answers(t.Context(), kubeconfig); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Process.Signal(syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait() // it was killed
	besidetest.Eventually(t, "the server ends", func() bool { return answers(t.Context(), kubeconfig) != nil })

	// And the next one removes its files.
	besidetest.Eventually(t, "its files go", func() bool {
		next, err := beside.NewFolder(folderPrefix)
		if err != nil || next.Remove() != nil {
			t.Fatal(err)
		}
		_, err = os.Stat(kubeconfig)
		return errors.Is(err, os.ErrNotExist)
	})
}
