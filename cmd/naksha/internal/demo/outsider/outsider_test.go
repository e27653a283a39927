package outsider

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/smtp"
	"strings"
	"testing"
	"time"
)

// The example of the specification of Standard Webhooks.
const (
	exampleSecret    = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
	exampleID        = "msg_p5jXN8AQM9LWM0D4loKWxJek"
	exampleStamp     = "1614265330"
	exampleBody      = `{"test": 2432232314}`
	exampleSignature = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
)

func TestWebhookIsVerified(t *testing.T) {
	t.Parallel()
	at := time.Unix(1614265330, 0)
	tests := map[string]struct {
		change func(h http.Header)
		secret string
		body   string
		now    time.Time
		good   bool
	}{
		"the specification's example":   {good: true},
		"one signature of two":          {good: true, change: func(h http.Header) { h.Set("webhook-signature", "v1,AAAA "+exampleSignature) }},
		"four minutes late":             {good: true, now: at.Add(4 * time.Minute)},
		"six minutes late":              {now: at.Add(6 * time.Minute)},
		"six minutes early":             {now: at.Add(-6 * time.Minute)},
		"another body":                  {body: exampleBody + " "},
		"another secret":                {secret: "whsec_AAAQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"},
		"a secret without its prefix":   {secret: "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"},
		"another id":                    {change: func(h http.Header) { h.Set("webhook-id", "msg_other") }},
		"no id":                         {change: func(h http.Header) { h.Del("webhook-id") }},
		"another time":                  {change: func(h http.Header) { h.Set("webhook-timestamp", "1614265331") }},
		"no time":                       {change: func(h http.Header) { h.Del("webhook-timestamp") }},
		"no signature":                  {change: func(h http.Header) { h.Del("webhook-signature") }},
		"a signature without its label": {change: func(h http.Header) { h.Set("webhook-signature", strings.TrimPrefix(exampleSignature, "v1,")) }},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			header := http.Header{}
			header.Set("webhook-id", exampleID)
			header.Set("webhook-timestamp", exampleStamp)
			header.Set("webhook-signature", exampleSignature)
			if test.change != nil {
				test.change(header)
			}
			if test.now.IsZero() {
				test.now = at
			}
			err := VerifyWebhook(orElse(test.secret, exampleSecret), header, []byte(orElse(test.body, exampleBody)), test.now)
			if (err == nil) != test.good {
				t.Errorf("got %v, want good %v", err, test.good)
			}
		})
	}
}

func orElse(s, other string) string {
	if s == "" {
		return other
	}
	return s
}

func TestUnsignedWebhookIsAnswered401(t *testing.T) {
	t.Parallel()
	hooks, err := OpenHooks()
	if err != nil {
		t.Fatal(err)
	}
	defer hooks.Close()
	response, err := http.Post(hooks.URL(), "application/json", strings.NewReader("{}"))
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	all := func(error) bool { return true }
	if response.StatusCode != http.StatusUnauthorized || len(hooks.Refused.All(all)) != 1 {
		t.Errorf("answered %d, refused %v", response.StatusCode, hooks.Refused.All(all))
	}
}

func TestMailArrivesDecoded(t *testing.T) {
	t.Parallel()
	box, err := OpenMailbox()
	if err != nil {
		t.Fatal(err)
	}
	defer box.Close()
	message := strings.ReplaceAll(`Message-ID: <1@x>
Subject: =?UTF-8?q?[SEV1]_K=C3=A4se?=
Content-Type: multipart/alternative; boundary=b

--b
Content-Type: text/plain; charset=UTF-8
Content-Transfer-Encoding: quoted-printable

caf=C3=A9 is=
 down
--b
Content-Type: text/html
Content-Transfer-Encoding: base64

PGI+aHRtbDwvYj4=
--b--
`, "\n", "\r\n")
	if err := smtp.SendMail(box.Address(), nil, "a@x.example", []string{"b@x.example"}, []byte(message)); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	m, err := box.Inbox.Await(ctx, func(Mail) bool { return true })
	if err != nil {
		t.Fatal(err)
	}
	if m.To != "b@x.example" || m.ID != "<1@x>" || m.Subject != "[SEV1] Käse" || !strings.Contains(m.Body, "café is down") ||
		!strings.Contains(m.Body, "<b>html</b>") {
		t.Errorf("got %+v", m)
	}
}

func TestInboxHandsOutEarlierAndLaterArrivals(t *testing.T) {
	t.Parallel()
	inbox := NewInbox[int]()
	inbox.Add(1)
	if got, err := inbox.Await(t.Context(), func(n int) bool { return n == 1 }); err != nil || got != 1 {
		t.Errorf("earlier: %d, %v", got, err)
	}
	got := make(chan int)
	go func() {
		n, _ := inbox.Await(context.Background(), func(n int) bool { return n == 3 })
		got <- n
	}()
	inbox.Add(2)
	inbox.Add(3)
	if n := <-got; n != 3 {
		t.Errorf("later: %d", n)
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(errors.New("the page is late"))
	if _, err := inbox.Await(ctx, func(int) bool { return false }); err == nil || !strings.Contains(err.Error(), "3 others did") {
		t.Errorf("never: %v", err)
	}
}

func TestReasonsAreReadFromProblems(t *testing.T) {
	t.Parallel()
	err := readProblem(403, []byte(`{"status":403,"reason":"WORKSPACE_FOREIGN","detail":"This key belongs to another workspace."}`))
	if got := Reason(fmt.Errorf("call: %w", err)); got != "WORKSPACE_FOREIGN" {
		t.Errorf("got %q", got)
	}
	if got := Reason(readProblem(502, []byte("<html>"))); got != "" {
		t.Errorf("no problem document: got %q", got)
	}
}
