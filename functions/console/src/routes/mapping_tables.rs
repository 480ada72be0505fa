//! Mapping tables, edited as JSON, uploaded and downloaded as CSV.

mod types;

use alerting::base::ids::MappingTableId;
use alerting::rules::integration::MappingTable;
use axum::Json;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use lambda_kit::random;
use store::config::Expect;

use self::types::{MappingTableBody, MappingTableView, from_csv, to_csv};
use super::{Shared, in_use};
use crate::app::App;
use crate::auth::scope::{Routes, routes};
use crate::error::ApiError;
use crate::extract::{ApiJson, ApiPath, ApiQuery, ApiText};
use crate::page::{Listed, Page, PageQuery};
use crate::references::users_of_mapping_table;
use crate::saved::save_over;

pub(crate) fn router() -> Routes {
    Routes::new()
        .read(routes!(list))
        .admin(routes!(create))
        .read(routes!(read))
        .admin(routes!(replace, delete))
        .read(routes!(download))
        .admin(routes!(upload))
}

#[utoipa::path(get, path = "/mapping-tables", tag = "mapping tables", operation_id = "list_mapping_tables",
    summary = "Lists the mapping tables, without their rows", params(PageQuery),
    responses((status = 200, description = "A page", body = Listed<MappingTableView>)))]
async fn list(
    State(app): Shared,
    ApiQuery(query): ApiQuery<PageQuery>,
) -> Result<Json<Listed<MappingTableView>>, ApiError> {
    let page = Page::try_from(query)?;
    let found = app.store.mapping_tables().list(page.limit, page.after_object()?).await?;
    Ok(Json(Listed::of(found, MappingTableView::listed)))
}

#[utoipa::path(post, path = "/mapping-tables", tag = "mapping tables", operation_id = "create_mapping_table",
    summary = "Creates a mapping table", request_body = MappingTableBody,
    responses((status = 201, description = "The table", body = MappingTableView)))]
async fn create(
    State(app): Shared,
    ApiJson(body): ApiJson<MappingTableBody>,
) -> Result<(StatusCode, Json<MappingTableView>), ApiError> {
    let empty = MappingTable {
        id: MappingTableId::from_suffix(&random::base62(10)).expect("ten base62 characters make an id"),
        name: String::new(),
        version: 0,
        source_labels: Vec::new(),
        result_labels: Vec::new(),
        rows: Vec::new(),
        created_at: app.clock.now(),
    };
    let table = app.store.mapping_tables().put(&body.apply(empty)?, Expect::New).await.map_err(ApiError::from)?;
    Ok((StatusCode::CREATED, Json(MappingTableView::whole(table))))
}

#[utoipa::path(get, path = "/mapping-tables/{id}", tag = "mapping tables", operation_id = "read_mapping_table",
    summary = "Reads a mapping table with its rows", params(("id" = String, Path)),
    responses((status = 200, description = "The table", body = MappingTableView)))]
async fn read(State(app): Shared, ApiPath(id): ApiPath<MappingTableId>) -> Result<Json<MappingTableView>, ApiError> {
    Ok(Json(MappingTableView::whole(found(&app, &id).await?)))
}

#[utoipa::path(put, path = "/mapping-tables/{id}", tag = "mapping tables", operation_id = "replace_mapping_table",
    summary = "Replaces a mapping table", params(("id" = String, Path)), request_body = MappingTableBody,
    responses((status = 200, description = "The table", body = MappingTableView)))]
async fn replace(
    State(app): Shared,
    ApiPath(id): ApiPath<MappingTableId>,
    ApiJson(body): ApiJson<MappingTableBody>,
) -> Result<Json<MappingTableView>, ApiError> {
    let saved = save_over(|| async {
        let before = found(&app, &id).await?;
        let expect = Expect::Version(before.version);
        Ok(app.store.mapping_tables().put(&body.apply(before)?, expect).await)
    });
    Ok(Json(MappingTableView::whole(saved.await?)))
}

#[utoipa::path(delete, path = "/mapping-tables/{id}", tag = "mapping tables", operation_id = "delete_mapping_table",
    summary = "Deletes a mapping table that no pipeline and no escalation rule uses", params(("id" = String, Path)),
    responses((status = 204, description = "It is gone")))]
async fn delete(State(app): Shared, ApiPath(id): ApiPath<MappingTableId>) -> Result<StatusCode, ApiError> {
    found(&app, &id).await?;
    in_use("the mapping table", &users_of_mapping_table(&app, &id).await?)?;
    app.store.mapping_tables().delete(&id).await?;
    Ok(StatusCode::NO_CONTENT)
}

#[utoipa::path(get, path = "/mapping-tables/{id}/rows.csv", tag = "mapping tables", operation_id = "download_rows",
    summary = "Downloads the rows as CSV", params(("id" = String, Path)),
    responses((status = 200, description = "A header of all labels, then the rows", body = String,
        content_type = "text/csv")))]
async fn download(State(app): Shared, ApiPath(id): ApiPath<MappingTableId>) -> Result<Response, ApiError> {
    let file = to_csv(&found(&app, &id).await?)?;
    let headers = [
        (header::CONTENT_TYPE, "text/csv; charset=utf-8"),
        (header::CONTENT_DISPOSITION, "attachment; filename=\"rows.csv\""),
    ];
    Ok((headers, file).into_response())
}

#[utoipa::path(put, path = "/mapping-tables/{id}/rows.csv", tag = "mapping tables", operation_id = "upload_rows",
    summary = "Replaces all rows by those of a CSV file", params(("id" = String, Path)),
    request_body(content = String, content_type = "text/csv",
        description = "The first line names every source and result label, in any order"),
    responses((status = 200, description = "The table", body = MappingTableView)))]
async fn upload(
    State(app): Shared,
    ApiPath(id): ApiPath<MappingTableId>,
    ApiText(file): ApiText,
) -> Result<Json<MappingTableView>, ApiError> {
    let saved = save_over(|| async {
        let before = found(&app, &id).await?;
        let expect = Expect::Version(before.version);
        Ok(app.store.mapping_tables().put(&from_csv(&file, before)?, expect).await)
    });
    Ok(Json(MappingTableView::whole(saved.await?)))
}

async fn found(app: &App, id: &MappingTableId) -> Result<MappingTable, ApiError> {
    let table = app.store.mapping_tables().get(id).await?;
    table.ok_or_else(|| ApiError::not_found(format_args!("mapping table {id}")))
}
