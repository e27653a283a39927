package local_test

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"mime/multipart"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
)

func TestUploadIdNeverLeadsOutOfItsBucket(t *testing.T) {
	t.Parallel()
	h := newHostage(t)
	parts := "<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>x</ETag></Part></CompleteMultipartUpload>"
	for _, id := range []string{
		"../../../../w-other", "../../../../w-other/" + otherKey, "../../../../../versions/w-other", "../../../../../iam", "../../..", "..", ".", "",
		h.upload + "/.", h.upload + "/../../../../../w-other", strings.ToUpper(h.upload), h.upload + "\x00", "/etc", `..\..\..`, "%2e%2e%2fw-other",
	} {
		by := func(more ...string) url.Values {
			query := url.Values{"uploadId": {id}}
			for _, name := range more {
				query.Set(name, "1")
			}
			return query
		}
		h.wantRefused(t,
			attack{method: http.MethodDelete, path: "/w-own/k", query: by()},
			attack{method: http.MethodGet, path: "/w-own/k", query: by()},
			attack{method: http.MethodPut, path: "/w-own/k", query: by("partNumber"), content: "x"},
			attack{method: http.MethodPut, path: "/w-own/k", query: by("partNumber"), header: map[string]string{"X-Amz-Copy-Source": "w-own/k"}},
			attack{method: http.MethodPost, path: "/w-own/k", query: by(), content: parts},
		)
	}
	if status, body := h.send(t, &h.own, attack{method: http.MethodDelete, path: "/w-own/k", query: url.Values{"uploadId": {"../../../../w-other"}}}); status != http.StatusNotFound || !strings.Contains(body, "<Code>NoSuchUpload</Code>") {
		t.Errorf("%d %s", status, body)
	}
	h.wantUntouched(t)
}

func TestVersionIdNeverLeadsOutOfItsBucket(t *testing.T) {
	t.Parallel()
	h := newHostage(t)
	for _, id := range []string{ // 26 characters are what versitygw asks for
		"../../../../../../run.json", "../../../../../..//run.json", "../../../../../../././././", "../../../../../w-other////", "..", "../..", "/etc/passwd///////////////", "7ZZZZZZZZZ/../../../ZZZZZZ",
	} {
		by := func(aspects ...string) url.Values {
			query := url.Values{"versionId": {id}}
			for _, aspect := range aspects {
				query.Set(aspect, "")
			}
			return query
		}
		for _, method := range []string{http.MethodGet, http.MethodHead, http.MethodDelete} {
			h.wantRefused(t, attack{method: method, path: "/w-own/k", query: by()})
		}
		for aspect, body := range map[string]string{
			"tagging":    "<Tagging><TagSet><Tag><Key>a</Key><Value>b</Value></Tag></TagSet></Tagging>",
			"legal-hold": "<LegalHold><Status>ON</Status></LegalHold>",
			"retention":  "<Retention><Mode>GOVERNANCE</Mode><RetainUntilDate>2030-01-01T00:00:00Z</RetainUntilDate></Retention>",
		} {
			h.wantRefused(t, attack{method: http.MethodGet, path: "/w-own/k", query: by(aspect)})
			h.wantRefused(t, attack{method: http.MethodPut, path: "/w-own/k", query: by(aspect), content: body})
		}
		h.wantRefused(t,
			attack{method: http.MethodDelete, path: "/w-own/k", query: by("tagging")},
			attack{method: http.MethodGet, path: "/w-own/k", query: by("attributes"), header: map[string]string{"X-Amz-Object-Attributes": "ETag"}},
			attack{method: http.MethodPut, path: "/w-own/copy", header: map[string]string{"X-Amz-Copy-Source": "w-own/k?versionId=" + id}},
			attack{method: http.MethodPut, path: "/w-own/copy", header: map[string]string{"X-Amz-Copy-Source": url.QueryEscape("w-own/k?versionId=" + id)}},
			attack{method: http.MethodPut, path: "/w-own/k", query: url.Values{"uploadId": {h.upload}, "partNumber": {"1"}}, header: map[string]string{"X-Amz-Copy-Source": "w-own/k?versionId=" + id}},
		)
		list := "<Delete><Object><Key>k</Key><VersionId>" + id + "</VersionId></Object></Delete>"
		if status, body := h.send(t, &h.own, attack{method: http.MethodPost, path: "/w-own", query: url.Values{"delete": {""}}, content: list}); strings.Contains(body, "<Deleted>") {
			t.Errorf("%s is deleted: %d %s", id, status, body)
		}
	}
	h.wantUntouched(t)
}

func TestPathsAndSourcesNeverLeadOutOfTheirBucket(t *testing.T) {
	t.Parallel()
	h := newHostage(t)
	for _, path := range []string{
		"/../w-other/" + otherKey, "/%2e%2e/w-other", "/.", "/..", "/./w-other", "/%2e", "/.sgwtmp", "/w-own/../w-other/" + otherKey, "/w-own/%2e%2e/w-other/" + otherKey,
		"/w-own/..%2fw-other%2f" + otherKey, "/w-own/%2e%2e%2f%2e%2e%2frun.json", "/w-own%2f..%2fw-other%2f" + otherKey, "//etc/passwd", "/w-own/%00", "/w-own/k%00", "/w-own%00/k",
		`/w-own/..%5c..%5crun.json`, "/w-own/.sgwtmp/multipart", "/w-own/a/.sgwtmp/x", "/w-own/k/../../../run.json",
	} {
		h.wantRefused(t, attack{method: http.MethodGet, path: path}, attack{method: http.MethodOptions, path: path, header: map[string]string{"Origin": "http://a"}})
		if !strings.Contains(path, "%5c") { // a backslash is a character like another
			h.wantRefused(t, attack{method: http.MethodPut, path: path, content: "x"})
		}
	}
	for _, source := range []string{
		"w-own/../w-other/" + otherKey, "w-own/%2e%2e/w-other/" + otherKey, "w-own%2f..%2fw-other%2f" + otherKey, "../w-other/" + otherKey, "/../run.json", "//etc/passwd", "./w-own/k",
		"w-own/%252e%252e/run.json", "w-own/.sgwtmp/multipart", "%2e%2e%2frun.json", "w-own/k%00", "w-own", "w-own/",
	} {
		h.wantRefused(t, attack{method: http.MethodPut, path: "/w-own/copy", header: map[string]string{"X-Amz-Copy-Source": source}})
	}
	h.wantUntouched(t)
}

func TestListingsNeverShowWhatIsNoObjectOfTheirBucket(t *testing.T) {
	t.Parallel()
	h := newHostage(t)
	strange := []string{"../w-other/", "../", "/", "..", "a/../../w-other/", ".sgwtmp/", ".sgwtmp/multipart/", fmt.Sprintf(".sgwtmp/multipart/%x/", sha256.Sum256([]byte("k"))), `..\`, "\x00/", "%2e%2e/w-other/"}
	for _, call := range []url.Values{{}, {"list-type": {"2"}}, {"versions": {""}}, {"uploads": {""}}} {
		for _, name := range []string{"prefix", "delimiter", "marker", "start-after", "continuation-token", "key-marker", "version-id-marker", "upload-id-marker"} {
			for _, value := range strange {
				query := url.Values{name: {value}}
				for call, empty := range call {
					query[call] = empty
				}
				status, body := h.send(t, &h.own, attack{method: http.MethodGet, path: "/w-own", query: query})
				if status >= 500 || strings.Contains(body, otherKey) || strings.Contains(body, "<Key>.") || strings.Contains(body, "<Prefix>.sgwtmp/multipart/"+h.upload) {
					t.Errorf("%v: %d %s", query, status, body)
				}
				if objects := strings.Count(body, "<Contents>"); objects > 1 || objects > 0 && name == "prefix" {
					t.Errorf("%v lists %d objects: %s", query, objects, body)
				}
			}
		}
	}
	h.wantUntouched(t)
}

func TestFormsOfBrowsersAreNotOffered(t *testing.T) {
	t.Parallel()
	h := newHostage(t)
	var form bytes.Buffer
	w := multipart.NewWriter(&form)
	_ = w.WriteField("key", "../w-other/x")
	_ = w.WriteField("file", "content")
	_ = w.Close()
	h.wantRefused(t, attack{method: http.MethodPost, path: "/w-own", content: form.String(), header: map[string]string{"Content-Type": w.FormDataContentType()}})
	h.wantUntouched(t)
}

func TestNamesOfUsersAreNoPaths(t *testing.T) {
	t.Parallel()
	h := newHostage(t)
	for _, name := range []string{"../../run.json", "../objects/w-other", "..", ".", "a/b", "/etc/passwd", "a\x00", `..\a`} {
		_, err := iamClient(h.region).CreateUser(t.Context(), &iam.CreateUserInput{UserName: aws.String(name)})
		if name != ".." && name != "." && err == nil {
			t.Errorf("there is a user %q", name)
		}
		_, _ = iamClient(h.region).DeleteUser(t.Context(), &iam.DeleteUserInput{UserName: aws.String(name)})
	}
	h.wantUntouched(t)
}
