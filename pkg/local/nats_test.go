package local_test

import (
	"context"
	"errors"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/naksha-cloud/naksha/pkg/local"
	"github.com/naksha-cloud/naksha/pkg/local/localtest"
)

func TestServiceUsesItsOwnStream(t *testing.T) {
	t.Parallel()
	n := localtest.NATS(t)
	tenant := newClient(t, n, "tenant")
	stream := makeStream(t, tenant)
	if _, err := tenant.js.Publish(t.Context(), "naksha.tenant.v1.workspace_created.abc", []byte("1"), jetstream.WithMsgID("a")); err != nil {
		t.Fatal(err)
	}
	ack, err := tenant.js.Publish(t.Context(), "naksha.tenant.v1.workspace_created.abc", []byte("1"), jetstream.WithMsgID("a"))
	if err != nil || !ack.Duplicate {
		t.Errorf("a repeated message id: %+v, %v", ack, err)
	}
	if message, err := stream.GetMsg(t.Context(), 1); err != nil || string(message.Data) != "1" {
		t.Errorf("reading the message back: %+v, %v", message, err)
	}
	if err := n.Healthy(); err != nil {
		t.Error(err)
	}
	if err := n.Ready(); err != nil {
		t.Error(err)
	}
}

func TestServiceConsumesEveryStreamUnderItsName(t *testing.T) {
	t.Parallel()
	n := localtest.NATS(t)
	tenant, backup := newClient(t, n, "tenant"), newClient(t, n, "backup")
	makeStream(t, tenant)
	if _, err := tenant.js.Publish(t.Context(), "naksha.tenant.v1.workspace_created.abc", []byte("1")); err != nil {
		t.Fatal(err)
	}
	consumer, err := backup.js.CreateOrUpdateConsumer(t.Context(), "TENANT", jetstream.ConsumerConfig{
		Durable: "backup", AckPolicy: jetstream.AckExplicitPolicy, FilterSubject: "naksha.tenant.v1.>",
	})
	if err != nil {
		t.Fatal(err)
	}
	received := make(chan jetstream.Msg, 1)
	consume, err := consumer.Consume(func(m jetstream.Msg) { received <- m }, jetstream.PullHeartbeat(500*time.Millisecond), jetstream.PullExpiry(2*time.Second))
	if err != nil {
		t.Fatal(err)
	}
	defer consume.Stop()
	select {
	case m := <-received:
		if err := m.DoubleAck(t.Context()); err != nil {
			t.Errorf("acknowledge: %v", err)
		}
	case <-time.After(localtest.Patience):
		t.Fatal("the message did not arrive")
	}
	info, err := consumer.Info(t.Context())
	if err != nil || info.AckFloor.Stream != 1 {
		t.Errorf("after the acknowledgement: %+v, %v", info, err)
	}
	backup.wantNoViolation(t)
}

func TestServiceIsRefusedWhatIsNotItsOwn(t *testing.T) {
	t.Parallel()
	n := localtest.NATS(t)
	tenant, backup, rotation := newClient(t, n, "tenant"), newClient(t, n, "backup"), newClient(t, n, "rotation")
	stream := makeStream(t, tenant)
	if _, err := backup.js.CreateOrUpdateConsumer(t.Context(), "TENANT", jetstream.ConsumerConfig{Durable: "backup", AckPolicy: jetstream.AckExplicitPolicy}); err != nil {
		t.Fatal(err)
	}
	for _, subject := range []string{
		"naksha.tenant.v1.workspace_created.abc", "naksha.wake.tenant", "naksha.feed.tenant.v1.x", "other",
		"$JS.API.STREAM.CREATE.TENANT", "$JS.API.STREAM.UPDATE.TENANT", "$JS.API.STREAM.DELETE.TENANT", "$JS.API.STREAM.DELETE.ROTATION", "$JS.API.STREAM.PURGE.ROTATION", "$JS.API.STREAM.CREATE.OTHER",
		"$JS.API.CONSUMER.CREATE.TENANT.backup", "$JS.API.CONSUMER.CREATE.TENANT.backup.naksha.>", "$JS.API.CONSUMER.CREATE.TENANT", "$JS.API.CONSUMER.DURABLE.CREATE.TENANT.backup",
		"$JS.API.CONSUMER.MSG.NEXT.TENANT.backup", "$JS.API.CONSUMER.DELETE.TENANT.backup", "$JS.API.CONSUMER.DELETE.TENANT.rotation", "$JS.API.CONSUMER.RESET.TENANT.backup", "$JS.API.CONSUMER.PAUSE.TENANT.backup",
		"$JS.ACK.TENANT.backup.1.1.1.1.0", "$JS.ACK._.hash.TENANT.backup.1.1.1.1.0", "$JS.API.STREAM.MSG.GET.TENANT", "$JS.API.DIRECT.GET.TENANT", "$SYS.REQ.SERVER.PING", "_INBOX_tenant.x",
	} {
		rotation.wantPublishRefused(t, subject)
	}
	for _, subject := range []string{">", "_INBOX.>", "_INBOX_tenant.>", "naksha.>", "naksha.tenant.>", "naksha.wake.tenant", "$JS.>", "$JS.ACK.>", "$SYS.>", "naksha.rotation.>"} {
		rotation.wantSubscribeRefused(t, subject)
	}
	if info, err := stream.Info(t.Context()); err != nil || info.State.Msgs != 0 {
		t.Errorf("the foreign stream changed: %+v, %v", info, err)
	}
}

func TestSubscriberSeesRepublishedFactsOnly(t *testing.T) {
	t.Parallel()
	n := localtest.NATS(t)
	tenant, outsider := newClient(t, n, "tenant"), newClient(t, n, "subscriber")
	makeStream(t, tenant)
	for _, subject := range []string{">", "naksha.tenant.>", "naksha.*.tenant.>", "_INBOX.>", "$JS.>", "naksha.wake.tenant"} {
		outsider.wantSubscribeRefused(t, subject)
	}
	for _, subject := range []string{"naksha.feed.tenant.v1.x", "naksha.tenant.v1.x", "$JS.API.INFO", "_INBOX_subscriber.x"} {
		outsider.wantPublishRefused(t, subject)
	}
	feed, err := outsider.SubscribeSync("naksha.feed.>")
	if err != nil {
		t.Fatal(err)
	}
	if err := outsider.Flush(); err != nil {
		t.Fatal(err)
	}
	if _, err := tenant.js.Publish(t.Context(), "naksha.tenant.v1.workspace_created.abc", []byte("1")); err != nil {
		t.Fatal(err)
	}
	message, err := feed.NextMsg(localtest.Patience)
	if err != nil || message.Subject != "naksha.feed.tenant.v1.workspace_created.abc" {
		t.Errorf("the feed gave %+v, %v", message, err)
	}
}

func TestServicePublishesAtomicBatch(t *testing.T) {
	t.Parallel()
	n := localtest.NATS(t)
	tenant, outsider := newClient(t, n, "tenant"), newClient(t, n, "subscriber")
	stream := makeStream(t, tenant)
	feed, err := outsider.SubscribeSync("naksha.feed.>")
	if err != nil {
		t.Fatal(err)
	}
	if err := outsider.Flush(); err != nil {
		t.Fatal(err)
	}
	for batch, commit := range map[string]string{"abandoned": "", "committed": "1"} {
		for i, header := range []nats.Header{{"Nats-Batch-Id": {batch}, "Nats-Batch-Sequence": {"1"}}, {"Nats-Batch-Id": {batch}, "Nats-Batch-Sequence": {"2"}}} {
			if i == 1 && commit != "" {
				header.Set("Nats-Batch-Commit", commit)
			}
			message := &nats.Msg{Subject: "naksha.tenant.v1.x.abc", Header: header, Data: []byte(batch)}
			if _, err := tenant.RequestMsg(message, localtest.Patience); err != nil {
				t.Fatal(err)
			}
		}
	}
	if info, err := stream.Info(t.Context()); err != nil || info.State.Msgs != 2 {
		t.Errorf("the stream holds %+v, %v", info, err)
	}
	for range 2 {
		if message, err := feed.NextMsg(localtest.Patience); err != nil || string(message.Data) != "committed" {
			t.Errorf("the feed gave %+v, %v", message, err)
		}
	}
}

func TestOperatorLooksButDoesNotTouch(t *testing.T) {
	t.Parallel()
	n := localtest.NATS(t)
	makeStream(t, newClient(t, n, "tenant"))
	operator := newClient(t, n, "operator")
	if stream, err := operator.js.Stream(t.Context(), "TENANT"); err != nil || stream.CachedInfo().Config.Name != "TENANT" {
		t.Errorf("look at a stream: %v", err)
	}
	for _, subject := range []string{"$JS.API.STREAM.DELETE.TENANT", "$JS.API.STREAM.PURGE.TENANT", "$JS.API.CONSUMER.CREATE.TENANT.operator", "$JS.API.STREAM.MSG.GET.TENANT", "naksha.operator.x"} {
		operator.wantPublishRefused(t, subject)
	}
}

func TestWrongPasswordAndUnknownUserAreRefused(t *testing.T) {
	t.Parallel()
	n := localtest.NATS(t)
	for _, login := range [][2]string{{"tenant", "wrong"}, {"tenant", ""}, {"nobody", "nobody"}, {"", ""}} {
		conn, err := nats.Connect(n.URL(), nats.UserInfo(login[0], login[1]))
		if !errors.Is(err, nats.ErrAuthorization) {
			t.Errorf("login %v: %v", login, err)
			conn.Close()
		}
	}
}

func TestStreamSurvivesRestart(t *testing.T) {
	t.Parallel()
	config := local.NATSConfig{Dir: localtest.TempDir(t), Port: -1, Permissions: localtest.Permissions(t), Passwords: map[string]string{"tenant": "tenant"}}
	for round := range uint64(3) {
		n, err := local.StartNATS(t.Context(), config)
		if err != nil {
			t.Fatal(err)
		}
		if n.URL() != "" {
			t.Errorf("a server that does not listen has the URL %s", n.URL())
		}
		tenant := newClient(t, n, "tenant")
		makeStream(t, tenant)
		if ack, err := tenant.js.Publish(t.Context(), "naksha.tenant.v1.x.abc", nil); err != nil || ack.Sequence != round+1 {
			t.Errorf("round %d: %+v, %v", round, ack, err)
		}
		tenant.Close()
		for range 2 {
			if err := n.Stop(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
	}
}

func TestSecondServerOnTheFolderIsRefused(t *testing.T) {
	t.Parallel()
	config := local.NATSConfig{Dir: localtest.TempDir(t), Port: -1, Permissions: localtest.Permissions(t), Passwords: map[string]string{"tenant": "tenant"}}
	n, err := local.StartNATS(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	defer n.Stop(context.Background())
	if _, err := local.StartNATS(t.Context(), config); !errors.Is(err, local.ErrFolderInUse) {
		t.Errorf("second start: %v", err)
	}
}

func TestTakenPortNamesItsSetting(t *testing.T) {
	t.Parallel()
	n := localtest.NATS(t)
	config := local.NATSConfig{Dir: localtest.TempDir(t), Permissions: localtest.Permissions(t), Passwords: map[string]string{"tenant": "tenant"}}
	config.Port = n.Server().Addr().(*net.TCPAddr).Port
	_, err := local.StartNATS(t.Context(), config)
	if !errors.Is(err, local.ErrAddressInUse) || !strings.Contains(err.Error(), "NATS port") {
		t.Errorf("start on a taken port: %v", err)
	}
}
