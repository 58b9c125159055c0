//! How the browser calls a server function: one `fetch`, whose answer is read as text. On the wire and on the server
//! nothing differs from the protocol that Leptos brings. Its own client knows streams, sockets and redirects besides,
//! and every visitor would have to download that.

use super::ApiError;
use crate::domain::json::{FromJson, Json};
use http::Method;
use leptos::server_fn::client::Client;
use leptos::server_fn::codec::{self, Encoding};
use leptos::server_fn::server::Server;
use leptos::server_fn::{Http, Protocol};
use send_wrapper::SendWrapper;
use serde::Serialize;
use std::marker::PhantomData;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{RequestInit, Response, UrlSearchParams};

/// HTTP with the arguments as `GetUrl` or `PostUrl` write them, and an answer in JSON.
pub struct Door<Arguments>(PhantomData<Arguments>);

impl<Arguments, Input, Output, C, S> Protocol<Input, Output, C, S, ApiError> for Door<Arguments>
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
        let answer = SendWrapper::new(fetch(path.to_owned(), arguments, Arguments::METHOD == Method::POST));
        async move {
            let (is_done, text) = answer.await.map_err(|_| no_answer())?;
            let answer = Json::parse(&text).ok_or_else(no_answer)?;
            if is_done {
                Output::from_json(answer).ok_or_else(no_answer)
            } else {
                Err(ApiError::from_json(answer).unwrap_or_else(no_answer))
            }
        }
    }
}

/// Something else has answered, or nobody.
fn no_answer() -> ApiError {
    ApiError::Call(String::new())
}

/// Calls the server: whether it could do what it was asked for, and what it says.
async fn fetch(path: String, arguments: String, posts: bool) -> Result<(bool, String), JsValue> {
    let window = web_sys::window().expect("this runs in a page");
    let answer = if posts {
        let request = RequestInit::new();
        request.set_method("POST");
        request.set_body(&UrlSearchParams::new_with_str(&arguments)?.into());
        window.fetch_with_str_and_init(&path, &request)
    } else {
        window.fetch_with_str(&format!("{path}?{arguments}"))
    };
    let answer: Response = JsFuture::from(answer).await?.unchecked_into();
    let text = JsFuture::from(answer.text()?).await?;
    Ok((answer.ok(), text.as_string().unwrap_or_default()))
}
