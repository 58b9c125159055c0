//! The client side of server functions: one `fetch`, whose response is read as text. On the wire and on the server
//! nothing differs from server_fn's own `Http` protocol. Its client also supports streams, sockets and redirects, which
//! would add 6 kB to the module (docs/performance.md).

use super::ApiError;
use crate::json::{FromJson, JsonValue};
use http::Method;
use leptos::prelude::set_timeout;
use leptos::server_fn::client::Client;
use leptos::server_fn::codec::{self, Encoding};
use leptos::server_fn::server::Server;
use leptos::server_fn::{Http, Protocol};
use send_wrapper::SendWrapper;
use serde::Serialize;
use std::marker::PhantomData;
use std::time::Duration;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{AbortController, RequestInit, Response, UrlSearchParams};

/// Maximum time to wait for a response and its body.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(10);

/// Protocol with arguments encoded by `GetUrl` or `PostUrl`, and a response in JSON.
pub struct FetchProtocol<Arguments>(PhantomData<Arguments>);

impl<Arguments, Input, Output, C, S> Protocol<Input, Output, C, S, ApiError> for FetchProtocol<Arguments>
where
    Http<Arguments, codec::Json>: Protocol<Input, Output, C, S, ApiError>,
    Arguments: Encoding,
    Input: Serialize + Send,
    Output: FromJson + Send,
    C: Client<ApiError>,
    S: Server<ApiError>,
{
    const METHOD: Method = Arguments::METHOD;

    fn run_server<F, Fut>(request: S::Request, run: F) -> impl Future<Output = Result<S::Response, ApiError>> + Send
    where
        F: Fn(Input) -> Fut + Send,
        Fut: Future<Output = Result<Output, ApiError>> + Send,
    {
        Http::<Arguments, codec::Json>::run_server(request, run)
    }

    fn run_client(path: &str, input: Input) -> impl Future<Output = Result<Output, ApiError>> + Send {
        let arguments = serde_qs::to_string(&input).unwrap_or_default();
        // A page has one thread, so nothing is sent to another.
        let response = SendWrapper::new(fetch(path.to_owned(), arguments, Arguments::METHOD == Method::POST));
        async move {
            let (is_ok, text) = response.await.map_err(|_| transport_error())?;
            let body = JsonValue::parse(&text).ok_or_else(transport_error)?;
            if is_ok {
                Output::from_json(body).ok_or_else(transport_error)
            } else {
                Err(ApiError::from_json(body).unwrap_or_else(transport_error))
            }
        }
    }
}

/// Returns the error of a call without a response, or with one that is not from the server function.
fn transport_error() -> ApiError {
    ApiError::Call(String::new())
}

/// Sends a request. Returns whether the response has a success status, and its body.
///
/// # Errors
///
/// Returns the browser's error if the server cannot be reached, or has not answered within [`REQUEST_TIMEOUT`].
async fn fetch(path: String, arguments: String, is_post: bool) -> Result<(bool, String), JsValue> {
    let window = web_sys::window().expect("this runs in a page");
    let (request, timeout) = (RequestInit::new(), AbortController::new()?);
    request.set_signal(Some(&timeout.signal()));
    set_timeout(move || timeout.abort(), REQUEST_TIMEOUT);
    let response = if is_post {
        request.set_method("POST");
        request.set_body(&UrlSearchParams::new_with_str(&arguments)?.into());
        window.fetch_with_str_and_init(&path, &request)
    } else {
        window.fetch_with_str_and_init(&format!("{path}?{arguments}"), &request)
    };
    let response: Response = JsFuture::from(response).await?.unchecked_into();
    let text = JsFuture::from(response.text()?).await?;
    Ok((response.ok(), text.as_string().unwrap_or_default()))
}
