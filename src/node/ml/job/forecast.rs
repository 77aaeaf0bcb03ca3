//! Makes a forecast: writes what the models expect of the buckets to come.

use std::sync::Arc;
use std::time::Instant;

use super::documents;
use super::work::Work;
use crate::node::http::ApiError;
use crate::node::ml::configuration::{Forecast, Job};
use crate::node::ml::detector::{ExpectedValue, Outlook};
use crate::node::ml::forecast::{self, ForecastStats, STATS_RESULT, Status};
use crate::node::ml::problem::Problem;
use crate::node::store::{Batch, Source, StoreError};

/// Values of one forecast.
const VALUES_MAX: u64 = 1_000_000;
/// Values that are written at once.
const VALUES_AT_ONCE: usize = 1000;
const NOTHING_FORESEEN: &str = "Insufficient history to forecast for all models";
const CUT_OFF: &str = "forecast unable to complete as native process was killed.";

/// A forecast that can be made.
pub(super) struct Forecasting {
    outlook: Outlook,
    buckets: u64,
    stats: ForecastStats,
    begun: Instant,
}

impl Work {
    /// Looks whether the forecast can be made.
    ///
    /// # Errors
    /// 400 with the reason.
    pub(super) fn prepare(&self, id: &str, wanted: &Forecast) -> Result<Forecasting, ApiError> {
        let begun = Instant::now();
        let span_ms = self.job.plan.bucket_span_ms;
        let buckets = wanted.buckets(span_ms)?;
        let outlook = self.engine.outlook().map_err(Problem::Forecast)?;
        let values = buckets.saturating_mul(outlook.series.len() as u64);
        if values > VALUES_MAX {
            return Err(Problem::ForecastTooLarge { values, most: VALUES_MAX }.into());
        }
        let now_ms = self.task.parts.cluster.core().clock.now_ms();
        let messages = if outlook.series.is_empty() { vec![NOTHING_FORESEEN.to_owned()] } else { Vec::new() };
        let stats = ForecastStats {
            job_id: self.job.id.clone(),
            result_type: STATS_RESULT.to_owned(),
            forecast_id: id.to_owned(),
            processed_record_count: 0,
            forecast_messages: messages,
            timestamp: outlook.start_ms,
            forecast_start_timestamp: outlook.start_ms,
            forecast_end_timestamp: outlook.start_ms.saturating_add(wanted.duration_ms),
            forecast_create_timestamp: now_ms,
            forecast_expiry_timestamp: wanted.expires_in_ms.map(|expires_in_ms| now_ms.saturating_add(expires_in_ms)),
            forecast_progress: 0.0,
            processing_time_ms: 0,
            forecast_memory_bytes: 0,
            forecast_status: Status::Started,
        };
        Ok(Forecasting { outlook, buckets, stats, begun })
    }

    /// Writes the forecast; what is written before the end is visible as one that was started.
    pub(super) async fn forecast(&self, forecasting: Forecasting) -> Result<(), StoreError> {
        let Forecasting { outlook, buckets, mut stats, begun } = forecasting;
        let all = buckets.saturating_mul(outlook.series.len() as u64).max(1) as f64;
        let mut values = Vec::new();
        for key in &outlook.series {
            for ahead in 0..buckets {
                values.extend(self.engine.foresee(key, outlook.start_ms, ahead));
                if values.len() >= VALUES_AT_ONCE {
                    stats.forecast_progress = (stats.processed_record_count + values.len() as u64) as f64 / all;
                    self.write_forecast(&mut stats, std::mem::take(&mut values), begun).await?;
                }
            }
        }
        stats.forecast_progress = 1.0;
        stats.forecast_status = Status::Finished;
        self.write_forecast(&mut stats, values, begun).await
    }

    async fn write_forecast(
        &self,
        stats: &mut ForecastStats,
        values: Vec<ExpectedValue>,
        begun: Instant,
    ) -> Result<(), StoreError> {
        let batch = staged(&self.job, stats, values, begun).map_err(|problem| super::staging::unwritable(&problem))?;
        self.write(batch).await
    }

    /// Forecasts that the end of an earlier run cut off never come to their end.
    pub(super) async fn give_up_forecasts(&self) -> Result<(), ApiError> {
        let mut batch = Batch::new();
        for mut stats in forecast::made(self.task.parts.cluster.core(), &self.job.id)? {
            if stats.forecast_status == Status::Started {
                stats.forecast_status = Status::Failed;
                stats.forecast_messages = vec![CUT_OFF.to_owned()];
                stats.put(&self.job, &mut batch)?;
            }
        }
        if batch.is_empty() { Ok(()) } else { Ok(self.write(batch).await?) }
    }
}

fn staged(
    job: &Arc<Job>,
    stats: &mut ForecastStats,
    values: Vec<ExpectedValue>,
    begun: Instant,
) -> Result<Batch, ApiError> {
    let mut batch = Batch::new();
    let mut bytes = 0;
    for value in &values {
        let number = stats.processed_record_count;
        let (id, document) = documents::of_forecast(job, &stats.forecast_id, number, value);
        let source = Source::from_value(document)?;
        bytes += source.bytes().len() as u64;
        batch.index(&job.results_index, id, source);
        stats.processed_record_count += 1;
    }
    stats.forecast_memory_bytes = stats.forecast_memory_bytes.max(bytes);
    stats.processing_time_ms = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX);
    stats.put(job, &mut batch)?;
    Ok(batch)
}
