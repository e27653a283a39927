package local

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/signal"
	"path/filepath"
	"runtime/debug"
	"sync"
	"syscall"
	"time"

	"github.com/versity/versitygw/backend"
	"github.com/versity/versitygw/backend/meta"
	"github.com/versity/versitygw/backend/posix"
	"github.com/versity/versitygw/embedgw"
	"github.com/versity/versitygw/iamapi"
	"github.com/versity/versitygw/iamapi/private"
	"github.com/versity/versitygw/iamapi/storage"
	"github.com/versity/versitygw/s3api"

	"github.com/naksha-cloud/naksha/pkg/local/durable"
	"github.com/naksha-cloud/naksha/pkg/local/iam"
	"github.com/naksha-cloud/naksha/pkg/local/quota"
)

const (
	// regionMarker in the environment turns this program into a region server.
	regionMarker = "NAKSHA_LOCAL_REGION"
	// memoryGoal in bytes; the collector works harder above it.
	memoryGoal = 32 << 20
	// copyBuffer in bytes per running transfer.
	copyBuffer = 256 << 10
	// copyLimit in bytes of an object that is copied, as on AWS. Without it versitygw v1.8.0 refuses every copy.
	copyLimit = 5 << 30
	// most connections and requests at once, per listener.
	mostConnections, mostRequests = 4096, 512
	// mostRequestsOfKey at once, of S3's.
	mostRequestsOfKey = mostRequests / 4
	// policySocket is where S3 asks IAM; relative to the working folder, so that its path is short.
	policySocket = "../iam.sock"
)

// ChildMain turns this process into an S3 region server if StartRegion started it, serves until SIGTERM or until its
// parent is gone, and then returns true: the caller returns from main at once. Otherwise it returns false immediately.
// It must be the first line of main, and of TestMain where tests start regions.
func ChildMain() (ran bool) {
	if os.Getenv(regionMarker) == "" {
		return false
	}
	if err := serveRegion(os.Stdin); err != nil {
		fmt.Fprintln(os.Stderr, "s3 region:", err) // the parent reads the reason from the log
	}
	return true
}

// serveRegion reads its order and serves until the order's pipe closes.
func serveRegion(orders io.Reader) error {
	var order regionOrder
	if err := json.NewDecoder(orders).Decode(&order); err != nil {
		return fmt.Errorf("read order: %w", err)
	}
	debug.SetMemoryLimit(memoryGoal)
	debug.SetGCPercent(50)
	ctx, cancel := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer cancel()
	go func() {
		_, _ = io.Copy(io.Discard, orders) // ends when the parent does
		cancel()
	}()
	for _, sub := range []string{"objects", "versions", "iam"} {
		if err := makeFolder(filepath.Join(order.Dir, sub), 0o700); err != nil {
			return fmt.Errorf("make folder: %w", err)
		}
	}
	users, cut, err := iam.Open(filepath.Join(order.Dir, "iam"), order.SealKey)
	if err != nil {
		return err
	}
	if cut > 0 {
		fmt.Fprintf(os.Stderr, "s3 region: the last change of a user was unfinished and was cut off (%d bytes)\n", cut)
	}
	objects, err := openObjects(order)
	if err != nil {
		return errors.Join(err, users.Close())
	}
	return errors.Join(serve(ctx, order, objects, users), users.Close())
}

// openObjects opens the storage of objects. It changes the working folder to Dir/objects.
func openObjects(order regionOrder) (backend.Backend, error) {
	root, older := filepath.Join(order.Dir, "objects"), filepath.Join(order.Dir, "versions")
	if err := (meta.XattrMeta{}).Test(root); err != nil {
		return nil, fmt.Errorf("%s: %w: choose a folder on ext4, xfs, btrfs or tmpfs", root, err)
	}
	files, err := durable.Open(root, older, posix.PosixOpts{
		IOBufferSize: copyBuffer, CopyObjectThreshold: copyLimit, ValidateBucketNames: true,
	})
	if err != nil {
		return nil, err
	}
	return oneToOne{quota.New(files, older, order.RootAccess)}, nil
}

// serve runs three listeners until ctx ends or one of them fails: S3, the IAM API, and the socket on which S3 asks IAM.
func serve(ctx context.Context, order regionOrder, objects backend.Backend, users storage.Storer) error {
	root := iamapi.RootCredentials{Access: order.RootAccess, Secret: order.RootSecret}
	api, err := iamapi.New(users, root, iamapi.WithQuiet(), iamapi.WithKeepAlive(), iamapi.WithHealth(healthPath),
		iamapi.WithConcurrencyLimiter(mostConnections, mostRequests), iamapi.WithOIDCThumbprintAutoFetchDisabled())
	if err != nil {
		return fmt.Errorf("make IAM API: %w", err)
	}
	boundConnections(api)
	policy, err := private.New(users, root, private.WithPrivateQuiet(), private.WithPrivateSocketPerm(0o600))
	if err != nil {
		return fmt.Errorf("make policy service: %w", err)
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	failed := make(chan error, 3)
	go func() { failed <- api.ServeMultiPort([]string{order.IAMAddress}); cancel() }()
	go func() { failed <- servePrivate(policy.ServeMultiPort, policySocket); cancel() }()
	// S3 asks IAM for its version at once and retries after seconds only.
	if err = poll(ctx, func() bool { return accepts("unix", policySocket) }); err == nil {
		var calm sync.WaitGroup
		calm.Go(func() { settle(ctx, order.Address) })
		defer calm.Wait()
		err = embedgw.RunVersityGW(ctx, objects, gateway(order))
	}
	cancel()
	err = errors.Join(err, api.Shutdown(), policy.Shutdown())
	for range 2 {
		err = errors.Join(err, ended(failed, func() { _, _ = api.Shutdown(), policy.Shutdown() }))
	}
	return err
}

// ended waits for the end of a listener. One that began behind its shutdown, since another failed at once, is shut down
// again.
func ended(listeners <-chan error, shutdown func()) error {
	for {
		select {
		case err := <-listeners:
			return err
		case <-time.After(pollEvery):
			shutdown()
		}
	}
}

// servePrivate calls ServeMultiPort with the zero value of its TLS options, a type that only versitygw can name: on a
// unix socket there is no TLS.
func servePrivate[T any](serve func([]string, T) error, socket string) error {
	var noTLS T
	return serve([]string{socket}, noTLS)
}

func accepts(network, address string) bool {
	conn, err := net.Dial(network, address)
	if err != nil {
		return false
	}
	return conn.Close() == nil
}

func gateway(order regionOrder) *embedgw.Config {
	return &embedgw.Config{
		RootUserAccess: order.RootAccess, RootUserSecret: order.RootSecret, Region: S3Region,
		Ports: []string{order.Address}, MaxConnections: mostConnections, MaxRequests: mostRequests, MultipartMaxParts: 10000,
		Quiet: true, KeepAlive: true, HealthPath: healthPath, DisableACLs: true,
		StandaloneIAMEndpoint: policySocket, IAMCacheDisable: true,
		S3Options: []s3api.Option{
			boundS3, s3api.WithMiddleware("/", readBodies), s3api.WithMiddleware("/", newShares(mostRequestsOfKey).handle),
		},
	}
}
