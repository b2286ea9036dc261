//! Reads the rest of a request's body after a refusal that did not need it.
//!
//! With HTTP/2, an answer before the end of the body cancels the stream, and with HTTP/1.1 it may reset the connection. A
//! browser then reports a network error instead of the refusal, and the page repeats the request for ever.

use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::body::{Body, BodyDataStream, Bytes, HttpBody};
use axum::extract::Request;
use axum::middleware::Next;
use axum::response::Response;
use tokio::sync::oneshot;
use tokio_stream::{Stream, StreamExt};

/// More than the largest body that a client of the protocol sends.
const MAX_REST_BYTES: usize = 16 * 1024 * 1024;
const REST_TIMEOUT: Duration = Duration::from_secs(10);

/// A body that is handed back if its reader drops it before its end.
struct ReturnedBody {
    stream: Option<BodyDataStream>,
    to: Option<oneshot::Sender<BodyDataStream>>,
}

impl Stream for ReturnedBody {
    type Item = Result<Bytes, axum::Error>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let Some(stream) = &mut self.stream else { return Poll::Ready(None) };
        let next = ready!(Pin::new(stream).poll_next(context));
        // After its end or an error there is no rest.
        if !matches!(next, Some(Ok(_))) {
            self.stream = None;
        }
        Poll::Ready(next)
    }
}

impl Drop for ReturnedBody {
    fn drop(&mut self) {
        if let (Some(stream), Some(to)) = (self.stream.take(), self.to.take()) {
            // An error means that the request itself has ended.
            to.send(stream).ok();
        }
    }
}

pub async fn read_unread_body(request: Request, next: Next) -> Response {
    let (parts, body) = request.into_parts();
    if body.is_end_stream() {
        return next.run(Request::from_parts(parts, body)).await;
    }
    let (to, mut rest) = oneshot::channel();
    let body = Body::from_stream(ReturnedBody { stream: Some(body.into_data_stream()), to: Some(to) });
    let response = next.run(Request::from_parts(parts, body)).await;
    if let Ok(rest) = rest.try_recv() {
        // A client that sends more, or too slowly, gets the cancelled stream.
        tokio::time::timeout(REST_TIMEOUT, discard(rest)).await.ok();
    }
    response
}

async fn discard(mut rest: BodyDataStream) {
    let mut bytes = 0;
    while let Some(Ok(part)) = rest.next().await {
        bytes += part.len();
        if bytes > MAX_REST_BYTES {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn body(parts: &[&'static str]) -> BodyDataStream {
        let parts: Vec<Result<_, axum::Error>> = parts.iter().map(|p| Ok(Bytes::from_static(p.as_bytes()))).collect();
        Body::from_stream(tokio_stream::iter(parts)).into_data_stream()
    }

    #[tokio::test]
    async fn what_is_not_read_comes_back() {
        for (parts_read, rest) in [(0, Some("abc")), (1, Some("bc")), (3, Some("")), (4, None)] {
            let (to, mut returned) = oneshot::channel();
            let mut stream = ReturnedBody { stream: Some(body(&["a", "b", "c"])), to: Some(to) };
            for _ in 0..parts_read {
                stream.next().await;
            }
            drop(stream);
            let returned = returned.try_recv().ok();
            assert_eq!(returned.is_some(), rest.is_some(), "{parts_read}");
            if let (Some(mut returned), Some(rest)) = (returned, rest) {
                let mut text = String::new();
                while let Some(part) = returned.next().await {
                    text.push_str(std::str::from_utf8(&part.unwrap()).unwrap());
                }
                assert_eq!(text, rest);
            }
        }
    }
}
